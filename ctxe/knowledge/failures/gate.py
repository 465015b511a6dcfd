"""The gate before a tool call: whether this call failed before with nothing changed since, and what fixed it then."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

from ctxe.domain.value import dataclass, field, replace
from ctxe.knowledge.entries.entry import Entry
from ctxe.knowledge.entries.ports import DigestOf
from ctxe.knowledge.failures.commands import plain_command
from ctxe.knowledge.failures.remembered import Group, lesson

DIGITS = 12
"""Hex digits of a content hash that a failure keeps for each file it depends on."""
ALWAYS = "*"
"""In place of a path: the call is wrong whatever the files hold."""


@dataclass(frozen=True, slots=True)
class Failed:
    """A call that failed. ``files`` are its dependencies and the first digits of their hashes at that time.

    ``changes`` is the gate's count of changes at the failure; None for an earlier session. ``alone``: only these files,
    and whether the model has read them since, decide (an edit that did not apply). ``refused``: a person or a rule said
    no, which holds until the user's next message. ``passing``: the cause is outside the project and may be gone on a
    retry. ``at`` is the time of the failure in unix seconds; 0 if unknown.
    """

    key: str
    signature: str
    lesson: str
    fixed: bool = False
    files: Mapping[str, str] = field(default_factory=dict)
    changes: int | None = None
    alone: bool = False
    refused: bool = False
    passing: bool = False
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class Match:
    """A known failure of the call that is about to run. ``exact``: same call, and no dependency changed since.

    ``answered``: the model was already told this and makes the call again.
    """

    failed: Failed
    nearness: Literal["exact", "near"]
    answered: bool = False

    @property
    def exact(self) -> bool:
        """Whether the call is expected to fail the same way again."""
        return self.nearness == "exact"


class Gate:
    """Failed calls of one session and of earlier ones.

    A look-up costs a dictionary access; hashes are compared only for known calls.
    A failure of an earlier session is exact only if its fix is known and its files are as they were then; one of this
    session, if nothing changed since.
    """

    def __init__(self, earlier: Iterable[Group] = ()) -> None:
        """``earlier`` are the remembered failures; see ``learn``."""
        self.changes = 0
        self._earlier: dict[str, list[Failed]] = {}
        self._by_command: dict[str, Failed] = {}
        self._this_session: dict[str, Failed] = {}
        self._answered: set[str] = set()
        self.learn(earlier)

    def learn(self, groups: Iterable[Group]) -> None:
        """Replace what is known of earlier sessions by these remembered failures."""
        self._earlier, self._by_command = defaultdict(list), {}
        for group in groups:
            if group.status in ("open", "resolved"):
                for failed in _failed_calls(group):
                    self._earlier[failed.key].append(failed)
                    self._by_command.setdefault(plain_command(failed.key), failed)

    def match(self, key: str, command: str, digest_of: DigestOf) -> Match | None:
        """The known failure of a call, or None. ``command`` is its plain form, empty if it runs no command."""
        failed_here = self._this_session.get(key)
        known = [*([failed_here] if failed_here else []), *self._earlier.get(key, ())]
        for failed in known:
            if self._is_exact(failed, digest_of):
                return Match(failed, "exact", key in self._answered)
        similar = next(iter(known), None) or (self._by_command.get(command) if command else None)
        return Match(similar, "near") if similar is not None else None

    def like(self, command: str) -> Failed | None:
        """A failure of the same command in an earlier session; ``command`` is its plain form."""
        return self._by_command.get(command)

    def answered(self, key: str) -> None:
        """Note that the model was told about the failure instead of the call being run. The next time it runs."""
        self._answered.add(key)

    def failed(self, failed: Failed) -> None:
        """Record a call that failed just now."""
        self._answered.discard(failed.key)
        self._this_session[failed.key] = replace(failed, changes=self.changes)

    def fixed(self, signature: str, lesson: str) -> None:
        """Set the lesson of a failure of this session that is fixed now."""
        for key, failed in self._this_session.items():
            if failed.signature == signature:
                self._this_session[key] = replace(failed, lesson=lesson, fixed=True)

    def passed(self, key: str) -> None:
        """Forget the failures of a call that succeeded just now: it works in the present state."""
        self._answered.discard(key)
        self._this_session.pop(key, None)
        self._earlier.pop(key, None)

    def looked(self, path: str) -> None:
        """Forget edits of this file that did not apply: the model has read it since, so they may apply now."""
        for key in [key for key, failed in self._this_session.items() if failed.alone and path in failed.files]:
            self.passed(key)

    def spoken(self) -> None:
        """Forget refusals: after a new message of the user's the same action may be wanted."""
        self._this_session = {key: failed for key, failed in self._this_session.items() if not failed.refused}

    def changed(self) -> None:
        """Note that something in the project changed or may have changed."""
        self.changes += 1

    def played(self) -> None:
        """Note that everything before was replayed from a log, which does not record file contents between calls.

        Failures that depend on a file alone are therefore forgotten if anything changed after them.
        """
        self._this_session = {
            key: one for key, one in self._this_session.items() if not one.alone or one.changes == self.changes
        }

    def _is_exact(self, failed: Failed, digest_of: DigestOf) -> bool:
        if failed.changes is None and not (failed.fixed and failed.files):
            return False
        if failed.changes is not None and (failed.passing or (failed.changes != self.changes and not failed.alone)):
            return False
        return all(path == ALWAYS or digest_of(path)[:DIGITS] == digits for path, digits in failed.files.items())


def _failed_calls(group: Group) -> Iterator[Failed]:
    words = lesson(group)
    for entry in group.entries:
        if entry.call:
            yield Failed(entry.call, group.signature, words, bool(group.fix), files_of(entry))


def files_of(entry: Entry) -> dict[str, str]:
    """The files that a failure depends on, with the first digits of their hashes at that time."""
    pairs = (item.rpartition("@") for item in entry.state)
    return {path: digits for path, _, digits in pairs if path}


def state_of(files: Mapping[str, str]) -> tuple[str, ...]:
    """The inverse of ``files_of``: ``path@digits``, as an entry stores it."""
    return tuple(f"{path}@{digest[:DIGITS]}" for path, digest in files.items())
