"""The commands of a session that failed and have not passed yet, and which failures a later run shows to be fixed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ctxe.knowledge.entries.ports import MemoryPorts
from ctxe.knowledge.failures.builds import has_built
from ctxe.knowledge.failures.calls import command_key, only_checks, only_looks
from ctxe.knowledge.failures.cures import Cure, CureOf, cure_of_correction, cure_of_pass
from ctxe.knowledge.failures.ended_command import EndedCommand
from ctxe.knowledge.failures.gate import DIGITS, Gate
from ctxe.knowledge.failures.remembered import short_fix
from ctxe.knowledge.failures.settling import PASSES, FailureNews, Settling
from ctxe.knowledge.failures.waiting import FailedCommand

TEST_PASSES = "the test that failed passes"
BUILT = "a command that builds the same passes"
FLAKY = "passed and failed although nothing changed: flaky"


class FailedCommands:
    """The commands that wait to pass, by their plain form. Raises StoreError."""

    def __init__(self, memory: MemoryPorts, root: str, gate: Gate, settling: Settling) -> None:
        self._memory, self._root, self._gate, self._settling = memory, root, gate, settling
        self._waiting: dict[str, FailedCommand] = {}

    def edited(self, path: str, diff: str, before: str | None) -> None:
        """Note that a file changed; ``before`` is its content hash before the edit, None if unknown."""
        for waiting in self._waiting.values():
            waiting.edited(path, diff, None if before is None else before[:DIGITS])

    def took_place(self, ended: EndedCommand, *, failed: bool = False) -> None:
        """Note a command for those that wait; one that passed and may have changed something may be their cure."""
        for waiting in self._waiting.values():
            if waiting.command != ended.plain:
                waiting.commands += 1
                waiting.others += [] if failed or only_looks(ended.plain) or only_checks(ended.plain) else [ended.plain]

    def failed(self, ended: EndedCommand, error: str) -> FailedCommand:
        """The command, which failed just now and waits to pass."""
        waiting = self._waiting.setdefault(ended.plain, FailedCommand([], ended.plain, ended.raw, error))
        waiting.changes, waiting.error = self._gate.changes, error
        return waiting

    def resolve_outgrown(self, ended: EndedCommand, current: str) -> Iterator[FailureNews]:
        """Resolve failures whose test passes now, although the command still fails: others may never have passed."""
        waiting = self._waiting.get(ended.plain)
        if waiting is None:
            return
        outgrown = [name for name in waiting.outgrown(ended.failing) if name != current]
        waiting.ids = [name for name in waiting.ids if name not in outgrown]
        yield from self._resolve(waiting, outgrown, cure_of_pass, ended.raw, TEST_PASSES)
        if current and ended.failing:
            waiting.seen[current].failing = ended.failing

    def resolve_fixed(self, ended: EndedCommand) -> Iterator[FailureNews]:
        """Resolve the failures that a command that passed shows to be fixed."""
        for step in ended.steps(self._root):
            yield from self._resolve_same(step)
        yield from self._resolve_corrected(ended)
        yield from self._resolve_earlier(ended)

    def _resolve_same(self, ended: EndedCommand) -> Iterator[FailureNews]:
        """Resolve the failures of a command that failed before and passes now.

        If nothing changed in between, its only failure is marked as flaky.
        """
        waiting = self._waiting.pop(ended.plain, None)
        if waiting is None:
            return
        still = not waiting.edits and waiting.changes == self._gate.changes
        same = command_key(waiting.raw, self._root) == ended.key
        if still and same and len(waiting.ids) == 1:
            yield FailureNews(self._memory.store.change(waiting.ids[0], status="wontfix", outcome=FLAKY), "flaky")
            return
        yield from self._resolve(waiting, waiting.ids, cure_of_pass, ended.raw)

    def _resolve_corrected(self, ended: EndedCommand) -> Iterator[FailureNews]:
        """Resolve the failures of an earlier command that this passing one corrects, or has built after edits."""
        for name, waiting in list(self._waiting.items()):
            if waiting.put_right(ended.plain):
                del self._waiting[name]
                yield from self._resolve(waiting, waiting.ids, cure_of_correction, ended.raw)
            elif waiting.was_not_built and has_built(ended.plain, name):
                del self._waiting[name]
                yield from self._resolve(waiting, waiting.ids, cure_of_pass, ended.raw, BUILT)

    def _resolve_earlier(self, ended: EndedCommand) -> Iterator[FailureNews]:
        """Resolve open failures of earlier sessions whose command passes now. Their fix is unknown here and left empty.

        If the call of a resolved failure passes with its files unchanged, the gate no longer answers for it.
        """
        for entry in self._memory.store.entries():
            if entry.kind != "failure":
                continue
            if entry.status == "open" and entry.command == ended.plain:
                yield from self._settling.resolve(entry.id, Cure(""))
            elif entry.status == "resolved" and entry.call == ended.key and self._settling.as_it_was(entry):
                self._memory.store.change(entry.id, call="", state=())

    def _resolve(
        self, waiting: FailedCommand, ids: Sequence[str], cure_of: CureOf, raw: str, passes: str = PASSES
    ) -> Iterator[FailureNews]:
        for failure in self._settling.entries(ids):
            tried = short_fix("; ".join(waiting.seen[failure.id].tried_in_vain(waiting.edits)))
            if waiting.seen[failure.id].tried and failure.tried != tried:
                self._memory.store.change(failure.id, tried=tried)
            yield from self._settling.resolve(failure.id, cure_of(waiting, raw, self._root, failure), passes)
