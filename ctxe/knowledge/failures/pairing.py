"""Pairs failures with their fix: the steps between a failed run and the same run passing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ctxe.domain.value import replace
from ctxe.knowledge.entries.entry import Entry
from ctxe.knowledge.entries.ports import MemoryPorts
from ctxe.knowledge.failures import lessons
from ctxe.knowledge.failures.calls import command_key, named_files, only_checks, only_looks
from ctxe.knowledge.failures.captures import ALL_BACK, COMMIT_BACK, TAKES_BACK, reverted_edit
from ctxe.knowledge.failures.commands import plain_command
from ctxe.knowledge.failures.cures import cure_of_correction, cure_of_pass
from ctxe.knowledge.failures.gate import DIGITS, Failed, Gate, state_of
from ctxe.knowledge.failures.plain import impersonal
from ctxe.knowledge.failures.remembered import OPEN, capture, record, short_fix
from ctxe.knowledge.failures.settling import FailureNews, Settling
from ctxe.knowledge.failures.slips import is_outside_error, is_slip
from ctxe.knowledge.failures.waiting import UNKNOWN, FailedCommand, all_failing, count_failing

TEST_PASSES = "the test that failed passes"
FLAKY = "passed and failed although nothing changed: flaky"
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
        self._waiting: dict[str, FailedCommand] = {}
        self._passed: dict[str, int] = {}
        self._written: dict[str, str] = {}
        self._before: dict[str, str] = {}
        self._open: dict[str, str] = {}
        self._back: dict[str, tuple[str, FailureNews]] = {}

    def ran(self, facts: Mapping[str, Any], turn: str = "") -> tuple[FailureNews, ...]:
        """Handle a command that ended; ``facts`` are those of ``remembered.capture``."""
        raw = str(facts.get("command") or "")
        command, key = plain_command(raw, self._root), command_key(raw, self._root)
        if facts.get("walled"):  # refused by the sandbox of a mode: another mode, or a person, may allow it
            self._note_for_others(command, failed=True)
            return ()
        draft = capture(facts, self._root, self._session, turn)
        if draft is not None:
            failed = self._record_failure(draft, command, key, facts)
            return (*failed, *self._resolve_outgrown(command, raw, failed, all_failing(facts)))
        if facts.get("exit_code") != 0:
            return ()
        news = [
            *self._resolve_same(command, raw),
            *self._resolve_corrected(command, raw),
            *self._resolve_earlier(command, key),
        ]
        if ALL_BACK.search(raw):
            news += self.taken_back(list(self._written), f"`{command}`")
        elif TAKES_BACK.search(raw):
            news += self.taken_back(named_files(raw, self._root), f"`{command}`")
        elif COMMIT_BACK.search(raw):
            news += self.taken_back([path for path in self._written if self._as_before(path)], f"`{command}`")
        self.gate.passed(key)
        if not only_looks(raw):
            self.gate.changed()
        self._passed[key] = self.gate.changes
        self._note_for_others(command)
        return tuple(news)

    def edited(self, path: str, diff: str = "", before: str | None = None) -> None:
        """Note that a file changed. The lesson may quote the first changed lines of ``diff`` (unified).

        ``before`` is its content hash before the edit: empty if there was no file, None if unknown.
        """
        self.gate.changed()
        self._written[path] = diff or self._written.get(path, "")
        if before is not None:
            self._before.setdefault(path, before)
        for waiting in self._waiting.values():
            waiting.edited(path, diff, None if before is None else before[:DIGITS])

    def _record_failure(
        self, draft: Entry, command: str, key: str, facts: Mapping[str, Any]
    ) -> tuple[FailureNews, ...]:
        """Record a failed command, or only tell the gate if the failure is a slip that never happened before."""
        raw = str(facts.get("command") or "")
        flaky = self._passed.get(key) == self.gate.changes
        files = {
            path: self.memory.digest_of(path) for path in dict.fromkeys((*draft.files, *named_files(raw, self._root)))
        }
        files = {path: digest[:DIGITS] for path, digest in files.items() if digest}
        if is_slip(raw, draft.error, tests=bool(draft.text)) and not self._happened_before(draft):
            self._tell_gate(key, draft, files)
            self._note_for_others(command, failed=True)
            return ()
        draft = _with_state(draft, key, files)
        if flaky:
            draft = replace(draft, status="wontfix", outcome=FLAKY)
        entry, new = record(self.memory.store, draft, self.memory.counters)
        self._note_for_others(command, failed=True)
        waiting = self._waiting.setdefault(command, FailedCommand([], command, raw, draft.error))
        tried = len(waiting.tried)
        entry = self._note_tried(waiting, entry, helped=waiting.fewer(entry.id, count_failing(facts)))
        waiting.noted(entry.id, all_failing(facts))
        waiting.changes, waiting.error = self.gate.changes, draft.error
        if entry.status != "wontfix":
            self._tell_gate(key, entry, files)
            circle = tuple(waiting.tried) if tried < len(waiting.tried) == CIRCLE else ()
            return (FailureNews(entry, "new" if new else "again", circle),)
        return (FailureNews(entry, "flaky" if new and flaky else "again"),)

    def _resolve_outgrown(
        self, command: str, raw: str, news: Sequence[FailureNews], failing: tuple[str, ...]
    ) -> Iterator[FailureNews]:
        """Resolve failures whose test passes now, although the command still fails: others may never have passed."""
        waiting, current = self._waiting.get(command), [one.entry.id for one in news]
        for name in [name for name in waiting.ids if name not in current] if waiting else ():
            if waiting and waiting.outgrown(name, failing):
                waiting.ids.remove(name)
                for failure in self._settling.entries([name]):
                    fix, hashes = cure_of_pass(waiting, raw, self._root, failure)
                    yield from self._settling.resolve(failure.id, fix, hashes, TEST_PASSES)
        if waiting and failing:
            waiting.failing.update(dict.fromkeys(current, failing))

    def _tell_gate(self, key: str, entry: Entry, files: Mapping[str, str]) -> None:
        """Tell the gate about the failed call; it knows it until something changes."""
        lesson, passing = self._settling.lesson(entry), is_outside_error(entry.error, entry.command)
        now = self.memory.store.now()
        failed = Failed(key, entry.signature, lesson, bool(entry.fix), files, passing=passing, at=now)
        self.gate.failed(failed)

    def _happened_before(self, draft: Entry) -> bool:
        """Whether this failure happened before, in any session. If not, count it, so that it has the next time."""
        remembered = any(entry.signature == draft.signature for entry in self.memory.store.entries())
        before = remembered or bool(self.memory.counters.read([draft.signature]))
        if not before:
            self.memory.counters.bump(draft.signature, self.memory.store.now(), seen=1)
        return before

    def _note_tried(self, waiting: FailedCommand, entry: Entry, *, helped: bool) -> Entry:
        """Keep in the entry what was edited without success between two identical failures of a command."""
        edits, waiting.fresh = waiting.fresh, {}
        if not edits or helped or waiting.ids[-1:] != [entry.id]:
            return entry
        words = short_fix(self.memory.store.mask(impersonal(lessons.of_edits(edits), self._root)))
        if words in waiting.tried:
            return entry
        waiting.tried.append(words)
        return self.memory.store.change(entry.id, tried=short_fix("; ".join(waiting.tried)))

    def keep(self, draft: Entry | None, until: str = "") -> tuple[FailureNews, ...]:
        """Record a failure that is not a failed command. ``until`` is a key by which ``settled`` resolves it later."""
        if draft is None:
            return ()
        entry, new = record(self.memory.store, draft, self.memory.counters)
        if until and entry.status in OPEN:
            self._open[until] = entry.id
        return (FailureNews(entry, "new" if new else "again"),)

    def settled(self, until: str, fix: str = "") -> tuple[FailureNews, ...]:
        """Resolve the failure that was kept with this ``until``, if any."""
        name = self._open.pop(until, "")
        return tuple(self._settling.resolve(name, fix, {})) if name else ()

    def taken_back(self, paths: Iterable[str], how: str) -> tuple[FailureNews, ...]:
        """Note that these files were reverted; edits of this session in them are recorded as failures."""
        self.gate.changed()
        news: list[FailureNews] = []
        for path in paths:
            if path in self._written:
                diff = self._written.pop(path)
                news += self.keep(reverted_edit(path, diff, how, self._session))
                self._back[path] = diff, news[-1]
        return tuple(news)

    def _as_before(self, path: str) -> bool:
        """Whether a file is as it was before the first edit of it."""
        return self._before.get(path, UNKNOWN) == self.memory.digest_of(path)

    def given_back(self, paths: Iterable[str]) -> tuple[FailureNews, ...]:
        """Note that files hold this session's edits again.

        Returns the new failures that their reversal had recorded.
        """
        self.gate.changed()
        restored = {path: self._back.pop(path) for path in paths if path in self._back}
        self._written.update({path: diff for path, (diff, _) in restored.items()})
        return tuple(news for _, news in restored.values() if news.change == "new")

    def _note_for_others(self, command: str, *, failed: bool = False) -> None:
        for waiting in self._waiting.values():
            if waiting.command != command:
                waiting.commands += 1
                waiting.others += [] if failed or only_looks(command) or only_checks(command) else [command]

    def _resolve_same(self, command: str, raw: str) -> Iterator[FailureNews]:
        """Resolve the failures of a command that failed before and passes now.

        If nothing changed in between, its only failure is marked as flaky.
        """
        waiting = self._waiting.pop(command, None)
        if waiting is None:
            return
        still = not waiting.edits and waiting.changes == self.gate.changes
        same = command_key(waiting.raw, self._root) == command_key(raw, self._root)
        if still and same and len(waiting.ids) == 1:
            yield FailureNews(self.memory.store.change(waiting.ids[0], status="wontfix", outcome=FLAKY), "flaky")
            return
        for failure in self._settling.entries(waiting.ids):
            fix, hashes = cure_of_pass(waiting, raw, self._root, failure)
            yield from self._settling.resolve(failure.id, fix, hashes)

    def _resolve_corrected(self, command: str, raw: str) -> Iterator[FailureNews]:
        """Resolve the failures of an earlier command that this passing one corrects, possibly along with edits."""
        for name, waiting in list(self._waiting.items()):
            if not waiting.put_right(command):
                continue
            del self._waiting[name]
            for failure in self._settling.entries(waiting.ids):
                fix, hashes = cure_of_correction(waiting, raw, self._root, failure)
                yield from self._settling.resolve(failure.id, fix, hashes)

    def _resolve_earlier(self, command: str, key: str) -> Iterator[FailureNews]:
        """Resolve open failures of earlier sessions whose command passes now. Their fix is unknown here and left empty.

        If the call of a resolved failure passes with its files unchanged, the gate no longer answers for it.
        """
        for entry in self.memory.store.entries():
            if entry.kind != "failure":
                continue
            if entry.status == "open" and entry.command == command:
                yield from self._settling.resolve(entry.id, "", {})
            elif entry.status == "resolved" and entry.call == key and self._settling.as_it_was(entry):
                self.memory.store.change(entry.id, call="", state=())


def _with_state(draft: Entry, key: str, files: Mapping[str, str]) -> Entry:
    """The failure with its call key and file hashes, by which the gate recognizes it in a later session.

    Both are left out if a hash is unknown or the key is too long.
    """
    if UNKNOWN in files.values():
        return replace(draft, evidence=(*draft.evidence, UNHASHED))
    return replace(draft, call=key, state=state_of(files)) if len(key) <= LONGEST_CALL else draft
