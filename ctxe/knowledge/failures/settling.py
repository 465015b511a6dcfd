"""Settles failures: what fixed one is kept with it, and how a later call is known that would fail again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ctxe.domain.value import dataclass
from ctxe.knowledge.entries.entry import Entry
from ctxe.knowledge.entries.ports import MemoryPorts
from ctxe.knowledge.failures.gate import ALWAYS, DIGITS, Gate, files_of, state_of
from ctxe.knowledge.failures.plain import impersonal
from ctxe.knowledge.failures.remembered import OPEN, groups, lesson, short_fix
from ctxe.knowledge.failures.waiting import UNKNOWN

PASSES = "the same command passes"
PUT_RIGHT = "passes when it is called as the fix says"


@dataclass(frozen=True, slots=True)
class FailureNews:
    """What a run meant for the memory: a failure seen (new or again), or one resolved."""

    entry: Entry
    change: str
    """``new``, ``again``, ``resolved`` or ``flaky``."""
    tried: tuple[str, ...] = ()
    """What was tried between runs that failed in the same way, when there were enough of them to speak of a circle."""


class Settling:
    """Resolves failures in the memory and tells the gate. Raises StoreError."""

    def __init__(self, memory: MemoryPorts, root: str, gate: Gate) -> None:
        """``root`` is the project's absolute folder, which is taken out of what is kept."""
        self.memory, self.gate, self._root = memory, gate, root

    def held(self, ids: Sequence[str]) -> list[Entry]:
        """Failures as they stand, in the order of their ids."""
        known = {entry.id: entry for entry in self.memory.store.entries()}
        return [known[name] for name in ids if name in known]

    def resolve(
        self, name: str, fix: str, before: Mapping[str, str] | None, passes: str = PASSES
    ) -> Iterator[FailureNews]:
        """Settle a failure. ``before``: hashes of files as they were until the fix; None: the call itself was wrong."""
        held = next((entry for entry in self.memory.store.entries() if entry.id == name), None)
        if held is not None and held.status in OPEN:
            words = held.fix or short_fix(self.memory.store.mask(impersonal(fix, self._root)))
            outcome = passes if before is not None or not words else PUT_RIGHT
            values = {"status": "resolved", "fix": words, "outcome": outcome, **self._settled(held, before)}
            done = self.memory.store.change(name, **values)
            self.gate.fixed(done.signature, self.lesson(done))
            yield FailureNews(done, "resolved")

    def lesson(self, entry: Entry) -> str:
        """What is told of a failure: what it was and what fixed it."""
        return lesson(groups([entry], self.memory.counters.read([entry.signature]))[0])

    def as_it_was(self, entry: Entry) -> bool:
        """Are all files that a failure depends on as they were when it happened?"""
        return all(p == ALWAYS or self.memory.digest_of(p)[:DIGITS] == held for p, held in files_of(entry).items())

    def _settled(self, entry: Entry, before: Mapping[str, str] | None) -> dict[str, Any]:
        """What is kept of the call: nothing when it passes with the very files it failed with."""
        if before is None:
            return {"state": entry.state or (f"{ALWAYS}@",)} if entry.call else {}
        then = {**files_of(entry), **before}
        differs = (self.memory.digest_of(path)[:DIGITS] not in (digits, UNKNOWN) for path, digits in then.items())
        if UNKNOWN not in then.values() and any(differs):
            return {"state": state_of(then)} if entry.call else {}
        return {"call": "", "state": ()}
