"""The memory while the log of a past session is replayed: read as it stands now, and never written a second time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from ctxe.domain.value import dataclass, field, replace
from ctxe.knowledge.entries.entry import Entry
from ctxe.knowledge.entries.ports import EntryStore


@dataclass(slots=True)
class ReplayStore:
    """Answers with the entries as they stand now, which hold what the session had learnt; nothing reaches the disk.

    ``at`` is the moment that is replayed, in unix seconds.
    """

    store: EntryStore
    at: float = 0.0
    _entries: tuple[Entry, ...] = ()
    _added: list[Entry] = field(default_factory=list)

    @property
    def mask(self) -> Callable[[str], str]:
        """As the store does."""
        return self.store.mask

    @property
    def now(self) -> Callable[[], float]:
        """The moment that is replayed."""
        return lambda: self.at

    def entries(self) -> tuple[Entry, ...]:
        """What is remembered now (looked at once), and what the store no longer has of this session."""
        self._entries = self._entries or self.store.entries()
        return (*self._entries, *self._added)

    def masked(self, entry: Entry) -> Entry:
        """As the store does."""
        return self.store.masked(entry)

    def add(self, draft: Entry, says: str = "") -> Entry:
        """An entry that was forgotten meanwhile, or never could be written: known here, by a name of its own."""
        self._added.append(replace(draft, id=draft.id or f"gone-{len(self._added)}"))
        return self._added[-1]

    def change(self, ref: str, **values: Any) -> Entry:
        """The entry as it is: what the session changed in it is there already, and what a person did since counts."""
        for place, entry in enumerate(self._added):
            if entry.id == ref:
                self._added[place] = replace(entry, **values)
                return self._added[place]
        return next(entry for entry in self.entries() if entry.id == ref)

    def log(self, line: str) -> Path:
        """The line stands in the log of its day."""
        return Path()
