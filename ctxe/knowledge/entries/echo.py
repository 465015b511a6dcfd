"""The memory as a past session wrote it: asked again while its log is read, and never written a second time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from ctxe.domain.value import dataclass, field, replace
from ctxe.knowledge.entries.entry import Entry


class Keeps(Protocol):
    """What a session asks of the memory while it runs: the store, or its echo."""

    @property
    def mask(self) -> Callable[[str], str]:
        """Takes secrets out of a text."""

    @property
    def now(self) -> Callable[[], float]:
        """Gives unix seconds."""

    def entries(self) -> tuple[Entry, ...]:
        """Every entry in causal order."""

    def masked(self, entry: Entry) -> Entry:
        """The entry without secrets in its words."""

    def add(self, draft: Entry, says: str = "") -> Entry:
        """Keep a new entry."""

    def change(self, ref: str, **values: Any) -> Entry:
        """Set fields of an entry."""

    def log(self, line: str) -> Path:
        """Append a line to the log of the day."""


@dataclass(slots=True)
class Echo:
    """Answers with the entries as they stand now, which hold what the session had learnt; nothing reaches the disk.

    ``at`` is the moment that is played, in unix seconds.
    """

    store: Keeps
    at: float = 0.0
    _entries: tuple[Entry, ...] = ()
    _added: list[Entry] = field(default_factory=list)

    @property
    def mask(self) -> Callable[[str], str]:
        """As the store does."""
        return self.store.mask

    @property
    def now(self) -> Callable[[], float]:
        """The moment that is played."""
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
