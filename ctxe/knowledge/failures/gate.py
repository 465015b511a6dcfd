"""The gate before a tool call: has exactly this failed before, with nothing changed since, and what helped then?"""

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
"""Stands for a call that is wrong by itself, whatever the files hold."""


@dataclass(frozen=True, slots=True)
class Failed:
    """A call that failed. ``files`` are the files it depends on with their hashes then (path → first digits).

    ``changes`` counts what had changed in this session by then; None for a failure of an earlier session. ``alone``:
    nothing but these files, and whether the model has read them, decides (an edit that did not apply). ``refused``: a
    person or a rule said no, which holds until the user speaks again. ``passing``: what it met outside the project may
    be gone at the next try. ``at`` is when it failed (unix seconds, 0: nobody knows).
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
    """What is known of a call that is about to run. ``exact``: the same call, and nothing it depends on changed.

    ``answered``: the model was told so already and asks again.
    """

    failed: Failed
    nearness: Literal["exact", "near"]
    answered: bool = False

    @property
    def exact(self) -> bool:
        """Would it fail the same way again, as far as anybody can know?"""
        return self.nearness == "exact"


class Gate:
    """What failed, by call. One session's; asking costs a dictionary look-up, and hashes only for a call that is known.

    A failure of an earlier session is exact only when a fix is known and the files it depends on are as they were then;
    one of this session when nothing changed since.
    """

    def __init__(self, earlier: Iterable[Group] = ()) -> None:
        """``earlier`` are the failures that are remembered; see ``learn``."""
        self.changes = 0
        self._earlier: dict[str, list[Failed]] = {}
        self._like: dict[str, Failed] = {}
        self._here: dict[str, Failed] = {}
        self._answered: set[str] = set()
        self.learn(earlier)

    def learn(self, groups: Iterable[Group]) -> None:
        """Take the remembered failures as they stand now in place of what was known of earlier sessions."""
        self._earlier, self._like = defaultdict(list), {}
        for group in groups:
            if group.status in ("open", "resolved"):
                for failed in _remembered(group):
                    self._earlier[failed.key].append(failed)
                    self._like.setdefault(plain_command(failed.key), failed)

    def match(self, key: str, command: str, digest_of: DigestOf) -> Match | None:
        """What is known of a call; ``command`` is its plain form, empty when it runs none."""
        here = self._here.get(key)
        known = [*([here] if here else []), *self._earlier.get(key, ())]
        for failed in known:
            if self._stands(failed, digest_of):
                return Match(failed, "exact", key in self._answered)
        like = next(iter(known), None) or (self._like.get(command) if command else None)
        return Match(like, "near") if like is not None else None

    def like(self, command: str) -> Failed | None:
        """A failure of an earlier session of the same command, told in its plain form."""
        return self._like.get(command)

    def answered(self, key: str) -> None:
        """The model was told instead of running the call: next time it runs."""
        self._answered.add(key)

    def failed(self, failed: Failed) -> None:
        """A call failed just now."""
        self._answered.discard(failed.key)
        self._here[failed.key] = replace(failed, changes=self.changes)

    def fixed(self, signature: str, lesson: str) -> None:
        """A failure of this session is fixed: what is told of it from now on."""
        for key, failed in self._here.items():
            if failed.signature == signature:
                self._here[key] = replace(failed, lesson=lesson, fixed=True)

    def passed(self, key: str) -> None:
        """A call went well just now: whatever it did before, it works as things stand."""
        self._answered.discard(key)
        self._here.pop(key, None)
        self._earlier.pop(key, None)

    def looked(self, path: str) -> None:
        """The model has read a file: an edit of it that did not apply may do so now."""
        for key in [key for key, failed in self._here.items() if failed.alone and path in failed.files]:
            self.passed(key)

    def spoken(self) -> None:
        """The user says something new: what was refused before may be wanted now."""
        self._here = {key: failed for key, failed in self._here.items() if not failed.refused}

    def changed(self) -> None:
        """Something in the project changed, or may have."""
        self.changes += 1

    def played(self) -> None:
        """All that went before was read from a log, which does not tell what files held between its calls.

        So what hangs on a file alone is known no longer where something changed since.
        """
        self._here = {key: one for key, one in self._here.items() if not one.alone or one.changes == self.changes}

    def _stands(self, failed: Failed, digest_of: DigestOf) -> bool:
        if failed.changes is None and not (failed.fixed and failed.files):
            return False
        if failed.changes is not None and (failed.passing or (failed.changes != self.changes and not failed.alone)):
            return False
        return all(path == ALWAYS or digest_of(path)[:DIGITS] == held for path, held in failed.files.items())


def _remembered(group: Group) -> Iterator[Failed]:
    said = lesson(group)
    for entry in group.entries:
        if entry.call:
            yield Failed(entry.call, group.signature, said, bool(group.fix), files_of(entry))


def files_of(entry: Entry) -> dict[str, str]:
    """The files that a failure depends on, with the first digits of their hashes when it happened."""
    pairs = (held.rpartition("@") for held in entry.state)
    return {path: digits for path, _, digits in pairs if path}


def state_of(files: Mapping[str, str]) -> tuple[str, ...]:
    """The same, as an entry keeps it."""
    return tuple(f"{path}@{digest[:DIGITS]}" for path, digest in files.items())
