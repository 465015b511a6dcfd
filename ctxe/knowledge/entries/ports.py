"""What a session reads and writes its memory by: entries, counters and file hashes, held once and shared by all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from ctxe.domain.value import dataclass
from ctxe.knowledge.entries.entry import Entry
from ctxe.storage.counters import Counters

DigestOf = Callable[[str], str]
"""The content hash of a file of the project; empty for none."""


class EntryStore(Protocol):
    """What a session asks of the memory while it runs: the store, or what stands for it while a log is replayed."""

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
class MemoryPorts:
    """All who listen to a session have the same one: while its log is replayed all three are what they were then."""

    store: EntryStore
    counters: Counters
    digest_of: DigestOf = lambda _: ""
