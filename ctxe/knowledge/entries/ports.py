"""A session's access to its memory: entries, counters and file hashes, held in one object that all its parts share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from ctxe.domain.value import dataclass
from ctxe.knowledge.entries.entry import Entry
from ctxe.storage.counters import Counters

DigestOf = Callable[[str], str]
"""Returns the content hash of a project file by its path; empty if there is no such file."""


class EntryStore(Protocol):
    """What a running session needs of the memory: implemented by the store, and by ReplayStore during a replay."""

    @property
    def mask(self) -> Callable[[str], str]:
        """Removes secrets from a text."""

    @property
    def now(self) -> Callable[[], float]:
        """Returns unix seconds."""

    def entries(self) -> tuple[Entry, ...]:
        """Every entry in causal order."""

    def masked(self, entry: Entry) -> Entry:
        """The entry with the secrets in its text removed."""

    def add(self, draft: Entry, says: str = "") -> Entry:
        """Keep a new entry; ``says`` describes the write for undo."""

    def change(self, ref: str, **values: Any) -> Entry:
        """Set fields of the entry that ``ref`` names."""

    def log(self, line: str) -> Path:
        """Append a line to the daily log."""


@dataclass(slots=True)
class MemoryPorts:
    """Shared by all listeners of a session, so that a replay can switch all three to their state at that time."""

    store: EntryStore
    counters: Counters
    digest_of: DigestOf = lambda _: ""
