"""Saves what the model wants to remember: after a person's approval, else as a proposal in the inbox."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ctxe.domain.value import dataclass, field, replace
from ctxe.knowledge.entries.entry import Entry
from ctxe.knowledge.entries.store import Store
from ctxe.storage.counters import Counters

if TYPE_CHECKING:
    from ctxe.project import Project


@dataclass(frozen=True, slots=True)
class MemoryWriter:
    """Writes to the memory folder for the model. ``approved``: a person approves each call first.

    Entries written wait here until the session takes and announces them.
    """

    store: Store
    counters: Counters
    root: str
    session: str
    approved: bool
    _kept: list[Entry] = field(default_factory=list)

    def remember(self, kind: str, title: str, text: str, files: Sequence[str], replaces: str = "") -> str:
        """Save or propose an entry; says what became of it and which entries it may contradict. Raises StoreError."""
        from ctxe.knowledge.upkeep.decisions import find_same, replacement

        draft = self._draft(kind, title, text, files)
        if not replaces and (same := find_same(draft, self.store.entries())):
            return f"known already as {same.id}"
        others = self._others(draft, replaces)
        if replaces:
            old = self.store.get(replaces)
            entry = self.store.supersede(old.id, replacement(draft, [old]))
        else:
            entry = self.store.add(draft)
        about = "".join(f"\nA current {o.kind} is about the same: {o.id} {o.title}" for o in others)
        return f"{self._report(entry)}{about}"

    def take_new(self) -> Iterator[Entry]:
        """Entries written since the last call."""
        while self._kept:
            yield self._kept.pop(0)

    def alike(self, kind: str, title: str, text: str, files: Sequence[str], replaces: str) -> tuple[str, ...]:
        """One line per current entry on the same subject, for the person who approves the new one."""
        others = self._others(self._draft(kind, title, text, files), replaces)
        return tuple(f"{other.kind} {other.id} stays and says: {other.title}" for other in others)

    def _draft(self, kind: str, title: str, text: str, files: Sequence[str]) -> Entry:
        values: dict[str, Any] = {"text": text, "files": tuple(files), "session": self.session}
        return Entry("", kind, title, self._status, by=self._by, **values)

    def _others(self, draft: Entry, replaces: str) -> tuple[Entry, ...]:
        from ctxe.knowledge.upkeep.decisions import same_subject

        found = same_subject(draft, self.store.entries())
        return tuple(one for one in found if not (replaces and one.id.startswith(replaces)))[:2]

    def record_failure(self, tried: str, outcome: str, fix: str, command: str, files: Sequence[str]) -> str:
        """Save or propose what was tried in vain; says what became of it. Raises StoreError."""
        from ctxe.knowledge.failures.remembered import manual_failure, record

        values = {"files": tuple(files), "session": self.session, "tried": tried, "outcome": outcome, "fix": fix}
        draft = manual_failure(f"{tried}: {outcome}", outcome, command, self.root, by=self._by, **values)
        if not self.approved:
            return self._report(self.store.add(replace(draft, status="proposed")))
        entry, new = record(self.store, replace(draft, status="resolved" if fix else "open"), self.counters)
        return self._report(entry) if new else f"known already as {entry.id}; counted once more"

    @property
    def _by(self) -> str:
        return "model (approved)" if self.approved else "model (proposed)"

    @property
    def _status(self) -> str:
        return "current" if self.approved else "proposed"

    def _report(self, entry: Entry) -> str:
        self._kept.append(entry)
        if entry.status == "proposed":
            return f"proposed as {entry.id}; it waits in the inbox for a person"
        return f"saved as {entry.id} in {entry.path}"


def memory_writer(project: Project, session: str, *, approved: bool = False) -> MemoryWriter:
    """A writer of memories for the model. ``approved``: a person can be asked; settings may send all to the inbox."""
    asks = approved and project.config.memory.remember == "ask"
    return MemoryWriter(project.store, project.counters, str(project.root), session, asks)
