"""The memory during the replay of a past session's log: reads the current entries and writes nothing to disk."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from ctxe.domain.value import dataclass, field, replace
from ctxe.knowledge.entries.entry import Entry
from ctxe.knowledge.entries.ports import EntryStore


@dataclass(slots=True)
class ReplayStore:
    """Answers with the current entries, which include what the session learnt. Nothing is written to disk.

    ``at`` is the time being replayed, in unix seconds.
    """

    store: EntryStore
    at: float = 0.0
    _entries: tuple[Entry, ...] = ()
    _added: list[Entry] = field(default_factory=list)

    @property
    def mask(self) -> Callable[[str], str]:
        """The store's mask."""
        return self.store.mask

    @property
    def now(self) -> Callable[[], float]:
        """Returns the time being replayed."""
        return lambda: self.at

    def entries(self) -> tuple[Entry, ...]:
        """The current entries (read once), and those the replay added because the store no longer has them."""
        self._entries = self._entries or self.store.entries()
        return (*self._entries, *self._added)

    def masked(self, entry: Entry) -> Entry:
        """Masks as the store does."""
        return self.store.masked(entry)

    def add(self, draft: Entry, says: str = "") -> Entry:
        """Keep, in memory only, an entry that was forgotten since or could not be written; gives it an id if needed."""
        self._added.append(replace(draft, id=draft.id or f"gone-{len(self._added)}"))
        return self._added[-1]

    def change(self, ref: str, **values: Any) -> Entry:
        """The current entry. It has the session's changes already, and later edits by a person take precedence.

        Only entries added by this replay are really changed.
        """
        for place, entry in enumerate(self._added):
            if entry.id == ref:
                self._added[place] = replace(entry, **values)
                return self._added[place]
        return next(entry for entry in self.entries() if entry.id == ref)

    def log(self, line: str) -> Path:
        """Nothing: the line is already in the daily log."""
        return Path()
