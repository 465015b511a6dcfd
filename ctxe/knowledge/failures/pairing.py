"""Pairs failures with their fix: the steps between a failed run and the same run passing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ctxe.domain.value import replace
from ctxe.knowledge.entries.entry import Entry
from ctxe.knowledge.entries.ports import MemoryPorts
from ctxe.knowledge.failures import lessons
from ctxe.knowledge.failures.calls import named_files, only_looks
from ctxe.knowledge.failures.captures import reverted_edit
from ctxe.knowledge.failures.cures import Cure
from ctxe.knowledge.failures.edited_files import EditedFiles
from ctxe.knowledge.failures.ended_command import EndedCommand, ended_command
from ctxe.knowledge.failures.failed_commands import FLAKY, FailedCommands
from ctxe.knowledge.failures.failed_runs import capture
from ctxe.knowledge.failures.gate import DIGITS, Failed, Gate, state_of
from ctxe.knowledge.failures.plain import impersonal
from ctxe.knowledge.failures.remembered import OPEN, record, short_fix
from ctxe.knowledge.failures.settling import FailureNews, Settling
from ctxe.knowledge.failures.slips import is_outside_error, is_slip
from ctxe.knowledge.failures.waiting import UNKNOWN

CIRCLE = 2
"""Number of different edits that leave the same error, after which they are reported as tried without success."""
LONGEST_CALL = 500
"""Characters of a call that is kept. Longer calls contain programs and texts, which must not be stored."""
UNHASHED = "what its files held is not recorded"
"""Evidence of a failure for which the gate never answers: without hashes it cannot tell whether the call would fail
again."""


class Watch:
    """Follows the runs and edits of one session, records failures and resolves them. Raises StoreError."""

    def __init__(self, memory: MemoryPorts, root: str = "", session: str = "", gate: Gate | None = None) -> None:
        """``root`` is the project's absolute folder, which is removed from everything that is kept.

        The memory's ``digest_of`` returns UNKNOWN for a file whose content was not recorded.
        """
        self.memory, self._root, self._session = memory, root, session
        self.gate = gate or Gate()
        self._settling = Settling(memory, root, self.gate)
        self._commands = FailedCommands(memory, root, self.gate, self._settling)
        self._passed: dict[str, int] = {}
        self._files = EditedFiles(memory, root)
        self._reversals: dict[str, FailureNews] = {}
        self._open: dict[str, str] = {}

    def ran(self, facts: Mapping[str, Any], turn: str = "") -> tuple[FailureNews, ...]:
        """Handle a command that ended; ``facts`` are those of ``failed_runs.capture``."""
        ended = ended_command(facts, self._root)
        if facts.get("walled"):  # refused by the sandbox of a mode: another mode, or a person, may allow it
            self._commands.took_place(ended, failed=True)
            return ()
        draft = capture(facts, self._root, self._session, turn)
        if draft is not None:
            self._commands.took_place(ended, failed=True)
            return self._failed(ended, draft)
        return self._succeeded(ended) if facts.get("exit_code") == 0 else ()

    def edited(self, path: str, diff: str = "", before: str | None = None) -> None:
        """Note that a file changed. The lesson may quote the first changed lines of ``diff`` (unified).

        ``before`` is its content hash before the edit: empty if there was no file, None if unknown.
        """
        self.gate.changed()
        self._files.edited(path, diff, before)
        self._commands.edited(path, diff, before)

    def keep(self, draft: Entry | None, until: str = "") -> tuple[FailureNews, ...]:
        """Record a failure that is not a failed command. ``until`` is a key by which ``settled`` resolves it later."""
        return () if draft is None else (self._record(draft, until),)

    def settled(self, until: str, fix: str = "") -> tuple[FailureNews, ...]:
        """Resolve the failure that was kept with this ``until``, if any."""
        name = self._open.pop(until, "")
        return tuple(self._settling.resolve(name, Cure(fix))) if name else ()

    def taken_back(self, paths: Iterable[str], how: str) -> tuple[FailureNews, ...]:
        """Note that these files were reverted; edits of this session in them are recorded as failures."""
        self.gate.changed()
        news = {
            path: self._record(reverted_edit(path, diff, how, self._session))
            for path, diff in self._files.revert(paths)
        }
        self._reversals.update(news)
        return tuple(news.values())

    def given_back(self, paths: Iterable[str]) -> tuple[FailureNews, ...]:
        """Note that files hold this session's edits again.

        Returns the new failures that their reversal had recorded.
        """
        self.gate.changed()
        reversals = [self._reversals.pop(path) for path in self._files.restore(paths) if path in self._reversals]
        return tuple(news for news in reversals if news.change == "new")

    def _failed(self, ended: EndedCommand, draft: Entry) -> tuple[FailureNews, ...]:
        """Record the failure, unless it is a slip that never happened before: only the gate is told of that."""
        files = self._hashes((*draft.files, *named_files(ended.raw, self._root)))
        if is_slip(ended.raw, draft.error, tests=bool(draft.text)) and not self._happened_before(draft):
            self._tell_gate(ended, draft, files)
            return tuple(self._commands.resolve_outgrown(ended, ""))
        news = self._record_command(ended, _with_state(draft, ended.key, files))
        if news.entry.status != "wontfix":
            self._tell_gate(ended, news.entry, files)
        return (news, *self._commands.resolve_outgrown(ended, news.entry.id))

    def _record_command(self, ended: EndedCommand, draft: Entry) -> FailureNews:
        """Record a failed command, with the edits that were made against it without success."""
        flaky = self._passed.get(ended.key) == self.gate.changes
        if flaky:
            draft = replace(draft, status="wontfix", outcome=FLAKY)
        entry, new = record(self.memory.store, draft, self.memory.counters)
        waiting = self._commands.failed(ended, draft.error)
        in_vain = waiting.failed(entry.id, ended)
        attempt = self._in_words(in_vain) if in_vain else ""
        circle: tuple[str, ...] = ()
        tried = waiting.seen[entry.id].tried
        if attempt and attempt not in tried:
            tried[attempt] = in_vain
            entry = self.memory.store.change(entry.id, tried=short_fix("; ".join(tried)))
            circle = tuple(tried) if len(tried) == CIRCLE else ()
        if entry.status == "wontfix":
            return FailureNews(entry, "flaky" if new and flaky else "again")
        return FailureNews(entry, "new" if new else "again", circle)

    def _in_words(self, edits: Mapping[str, str]) -> str:
        return short_fix(self.memory.store.mask(impersonal(lessons.of_edits(edits), self._root)))

    def _hashes(self, paths: Iterable[str]) -> dict[str, str]:
        """The first digits of the hashes of those files that exist."""
        hashes = {path: self.memory.digest_of(path) for path in dict.fromkeys(paths)}
        return {path: digest[:DIGITS] for path, digest in hashes.items() if digest}

    def _happened_before(self, draft: Entry) -> bool:
        """Whether this failure happened before, in any session. If not, count it, so that it has the next time."""
        remembered = any(entry.signature == draft.signature for entry in self.memory.store.entries())
        before = remembered or bool(self.memory.counters.read([draft.signature]))
        if not before:
            self.memory.counters.bump(draft.signature, self.memory.store.now(), seen=1)
        return before

    def _tell_gate(self, ended: EndedCommand, entry: Entry, files: Mapping[str, str]) -> None:
        """Tell the gate about the failed call; it knows it until something changes."""
        lesson, passing = self._settling.lesson(entry), is_outside_error(entry.error, entry.command)
        now = self.memory.store.now()
        failed = Failed(ended.key, entry.signature, lesson, bool(entry.fix), files, passing=passing, at=now)
        self.gate.failed(failed)

    def _succeeded(self, ended: EndedCommand) -> tuple[FailureNews, ...]:
        """Resolve what this command shows to be fixed, and record the edits that it reverted."""
        news = list(self._commands.resolve_fixed(ended))
        reverted = self._files.reverted_by(ended.raw)
        if reverted is not None:
            news += self.taken_back(reverted, f"`{ended.plain}`")
        self.gate.passed(ended.key)
        if not only_looks(ended.raw):
            self.gate.changed()
        self._passed[ended.key] = self.gate.changes
        self._commands.took_place(ended)
        return tuple(news)

    def _record(self, draft: Entry, until: str = "") -> FailureNews:
        entry, new = record(self.memory.store, draft, self.memory.counters)
        if until and entry.status in OPEN:
            self._open[until] = entry.id
        return FailureNews(entry, "new" if new else "again")


def _with_state(draft: Entry, key: str, files: Mapping[str, str]) -> Entry:
    """The failure with its call key and file hashes, by which the gate recognizes it in a later session.

    Both are left out if a hash is unknown or the key is too long.
    """
    if UNKNOWN in files.values():
        return replace(draft, evidence=(*draft.evidence, UNHASHED))
    return replace(draft, call=key, state=state_of(files)) if len(key) <= LONGEST_CALL else draft
