"""Assigns entries to slots and terms to slots, in memory and, when there are many entries, on disk."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from ctxe.domain.section import digest
from ctxe.knowledge.entries.entry import Entry
from ctxe.knowledge.recall.reading import read_terms, wording
from ctxe.knowledge.recall.reading_cache import ReadingCache
from ctxe.knowledge.recall.stored_postings import Posting, StoredEntry, StoredPostings
from ctxe.knowledge.recall.terms import terms

MANY = 300
"""Entries from which on postings are kept on disk."""
MOST_TIMES = 255
MEMORY_ONLY = 1 << 30
"""First slot of entries whose postings are not on disk."""


class PostingTable:
    """Entries by slot, and the slots of each term. A slot is never reused for another entry.

    With ``cache`` (a folder) the postings of many entries are kept in ``recall.db`` for the next process, and only
    changed entries are read again. The results are the same with and without it.
    """

    def __init__(self, cache: Path | None) -> None:
        self.entries: dict[int, Entry] = {}
        self.lengths: dict[int, tuple[int, int, int]] = {}
        """Number of terms of each entry: its words, the names of its files, its files."""
        self._path = cache / "recall.db" if cache else None
        self._kept: StoredPostings | None = None
        self._slots: dict[str, tuple[int, str]] = {}
        self._next = 0
        self._keeps = False
        self._has_removed = False
        """Whether postings may name removed entries."""
        self._fresh: dict[str, Posting] = {}

    def sync(self, entries: Sequence[Entry], readings: ReadingCache) -> None:
        """Update to the current entries; new readings are offered to ``readings``."""
        if self._path and not self._slots and len(entries) >= MANY:
            self._open(self._path)
        slots_by_identity = {id(entry): slot for slot, entry in self.entries.items()}
        kept: dict[int, Entry] = {}
        new: list[tuple[str, str, Entry]] = []
        for key, entry in _by_key(entries).items():
            slot = slots_by_identity.get(id(entry))
            if slot is None:
                mark = _content_hash(entry)
                known = self._slots.get(key)
                slot = known[0] if known and known[1] == mark else None
                if slot is None:
                    new.append((key, mark, entry))
            if slot is not None:
                kept[slot] = entry
        removed = [slot for slot, _ in self._slots.values() if slot not in kept]
        self._slots = {key: known for key, known in self._slots.items() if known[0] in kept}
        self._has_removed = self._has_removed or bool(removed)
        for slot in removed:
            self.lengths.pop(slot, None)
        self._add(new, removed, kept, readings)
        self.entries = kept

    def parts(self, term: str) -> list[Posting]:
        """The slots that have a term and its count in each, segment by segment. Raises Damaged."""
        parts = self._kept.postings(term) if self._kept else []
        parts += [self._fresh[term]] if term in self._fresh else []
        return [_without_removed(part, self.entries) for part in parts] if self._has_removed else parts

    def spoil(self) -> bool:
        """Have the postings on disk rebuilt by whoever opens them next; False when there are none."""
        if self._kept is None:
            return False
        self._kept.spoil()
        return True

    def _open(self, path: Path) -> None:
        self._kept = StoredPostings.open(path)
        self._keeps = self._kept is not None
        rows, self._next = self._kept.rows() if self._kept else ([], 0)
        self._has_removed = True
        for row in rows:
            self._slots[row.key] = (row.slot, row.mark)
            self.lengths[row.slot] = row.lengths

    def _add(
        self,
        new: Sequence[tuple[str, str, Entry]],
        removed: Sequence[int],
        entries: dict[int, Entry],
        readings: ReadingCache,
    ) -> None:
        """Add new entries and remove others: on disk while this process can append to it, else in memory only."""
        if self._keeps and self._kept and (new or removed):
            self._keeps = self._kept.claim()
            if self._keeps:
                postings: dict[str, Posting] = {}
                rows = self._assign(new, entries, postings, readings)
                self._keeps = self._kept.add(rows, postings, removed)
                if self._keeps:
                    return
                for row in rows:
                    del entries[row.slot], self.lengths[row.slot]
                    readings.drop(row.slot)
        # Another process may assign the next slots of the file to other entries, so slots are private from here on.
        if not self._keeps:
            self._next = max(self._next, MEMORY_ONLY)
        self._assign(new, entries, self._fresh, readings)

    def _assign(
        self,
        new: Sequence[tuple[str, str, Entry]],
        entries: dict[int, Entry],
        postings: dict[str, Posting],
        readings: ReadingCache,
    ) -> list[StoredEntry]:
        """Assign slots to new entries, read them, and add their terms to the postings."""
        rows: list[StoredEntry] = []
        for key, mark, entry in new:
            slot, self._next = self._next, self._next + 1
            reading = read_terms(entry)
            readings.offer(slot, reading)
            lengths = (reading.length, len(reading.names), len(reading.files))
            self._slots[key], self.lengths[slot], entries[slot] = (slot, mark), lengths, entry
            rows.append(StoredEntry(slot, key, mark, lengths))
            for term, times in terms(reading):
                slots, counts = postings.setdefault(term, (array("I"), array("B")))
                slots.append(slot)
                counts.append(min(times, MOST_TIMES))
        return rows


def _without_removed(posting: Posting, entries: Mapping[int, Entry]) -> Posting:
    slots, counts = posting
    pairs = [(slot, times) for slot, times in zip(slots, counts, strict=True) if slot in entries]
    return array("I", [slot for slot, _ in pairs]), array("B", [times for _, times in pairs])


def _by_key(entries: Iterable[Entry]) -> dict[str, Entry]:
    """Entries by a key that survives changes of their text; a copy in the same file counts once."""
    return {f"{entry.path}\0{entry.id}": entry for entry in entries}


def _content_hash(entry: Entry) -> str:
    """Content hash of all parts of an entry that are read."""
    return digest("\0".join((entry.kind, entry.title, wording(entry), *entry.files, "\0", *entry.scope)))[:16]
