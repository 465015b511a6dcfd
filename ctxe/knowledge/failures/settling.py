"""Settles failures: stores what fixed one, and decides how the gate recognizes a later call that would fail again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ctxe.domain.value import dataclass
from ctxe.knowledge.entries.entry import Entry
from ctxe.knowledge.entries.ports import MemoryPorts
from ctxe.knowledge.failures.cures import Cure
from ctxe.knowledge.failures.gate import ALWAYS, DIGITS, Gate, files_of, state_of
from ctxe.knowledge.failures.plain import impersonal
from ctxe.knowledge.failures.remembered import OPEN, groups, lesson, short_fix
from ctxe.knowledge.failures.waiting import UNKNOWN

PASSES = "the same command passes"
PUT_RIGHT = "passes when it is called as the fix says"


@dataclass(frozen=True, slots=True)
class FailureNews:
    """The effect of a run on the memory: a failure that was seen or resolved."""

    entry: Entry
    change: str
    """``new``, ``again``, ``resolved`` or ``flaky``."""
    tried: tuple[str, ...] = ()
    """What was tried between runs that failed in the same way, once these are enough to call it a circle."""


class Settling:
    """Resolves failures in the memory and updates the gate. Raises StoreError."""

    def __init__(self, memory: MemoryPorts, root: str, gate: Gate) -> None:
        """``root`` is the project's absolute folder, which is removed from everything that is kept."""
        self.memory, self.gate, self._root = memory, gate, root

    def entries(self, ids: Sequence[str]) -> list[Entry]:
        """The current entries of these ids, in their order; missing ones are left out."""
        by_id = {entry.id: entry for entry in self.memory.store.entries()}
        return [by_id[name] for name in ids if name in by_id]

    def resolve(self, name: str, cure: Cure, passes: str = PASSES) -> Iterator[FailureNews]:
        """Resolve a failure that is still open."""
        failure = next((entry for entry in self.memory.store.entries() if entry.id == name), None)
        if failure is not None and failure.status in OPEN:
            words = failure.fix or short_fix(self.memory.store.mask(impersonal(cure.lesson, self._root)))
            outcome = passes if cure.before is not None or not words else PUT_RIGHT
            call = self._call_to_keep(failure, cure.before)
            resolved = self.memory.store.change(name, status="resolved", fix=words, outcome=outcome, **call)
            self.gate.fixed(resolved.signature, self.lesson(resolved))
            yield FailureNews(resolved, "resolved")

    def lesson(self, entry: Entry) -> str:
        """The one-line lesson of a failure, with its fix."""
        return lesson(groups([entry], self.memory.counters.read([entry.signature]))[0])

    def as_it_was(self, entry: Entry) -> bool:
        """Whether all files that the failure depends on are as they were when it happened."""
        return all(
            path == ALWAYS or self.memory.digest_of(path)[:DIGITS] == digits for path, digits in files_of(entry).items()
        )

    def _call_to_keep(self, entry: Entry, before: Mapping[str, str] | None) -> dict[str, Any]:
        """The call and file hashes to keep; empty ones if the call passes with the same files with which it failed."""
        if before is None:
            return {"state": entry.state or (f"{ALWAYS}@",)} if entry.call else {}
        hashes = {**files_of(entry), **before}
        differs = (self.memory.digest_of(path)[:DIGITS] not in (digits, UNKNOWN) for path, digits in hashes.items())
        if UNKNOWN not in hashes.values() and any(differs):
            return {"state": state_of(hashes)} if entry.call else {}
        return {"call": "", "state": ()}
