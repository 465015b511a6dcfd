"""The postings of everything remembered: which entry has which term, kept in step with the entries."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Mapping, Sequence
from operator import is_
from pathlib import Path
from types import MappingProxyType

from ctxe.domain.section import digest
from ctxe.domain.value import dataclass
from ctxe.knowledge.entries.entry import Entry
from ctxe.knowledge.recall.around import Around, FailureAges
from ctxe.knowledge.recall.kept import Posting, StoredEntry, StoredPostings
from ctxe.knowledge.recall.reading import NAME, EntryReading, read, wording
from ctxe.knowledge.recall.readings import Readings
from ctxe.knowledge.recall.terms import FILES, K1, NAMES, WORDS, B, channel_of, terms
from ctxe.lexical.bm25 import idf, shorten
from ctxe.lexical.memo import Memo

BACKGROUND = 200
NOTHING_COMMON: Mapping[str, float] = MappingProxyType({})
MANY = 300
"""Entries from which on the postings are worth keeping on disk."""
MOST_WEIGHED = 4_096
MOST_COUNTED = 100_000
MOST_TIMES = 255
MEMORY_ONLY = 1 << 30
"""First slot of entries whose postings are not on disk."""


@dataclass(frozen=True, slots=True)
class Weighed:
    """The slots that have a term, and what it is worth in each (its rarity not included)."""

    slots: Sequence[int]
    worths: Sequence[float]


class Postings:
    """Entries by slot and the postings of their terms. A slot is never used again for another entry.

    With ``cache`` (a folder) postings of many entries are kept in ``recall.db``, read again by the next process, and
    only what changed is read anew. What is answered never depends on whether it was kept.
    ``common`` is the share of texts elsewhere that have a term (0 for those not named): how rare a term is counts as
    if ``BACKGROUND`` of them stood here too, because a handful of entries cannot tell a common word from a rare one.
    """

    def __init__(self, cache: Path | None = None, common: Mapping[str, float] = NOTHING_COMMON) -> None:
        self._common = common
        self.entries: dict[int, Entry] = {}
        self.order: dict[int, int] = {}
        self.around = Around({}, {}, self.reading, lambda _: ())
        self.failures = FailureAges({}, {})
        self._given: Sequence[Entry] = ()
        self._path = cache / "recall.db" if cache else None
        self._kept: StoredPostings | None = None
        self._slots: dict[str, tuple[int, str]] = {}
        self._lengths: dict[int, tuple[int, int, int]] = {}
        self._next = 0
        self._keeps = False
        self._torn = False
        """Whether postings may name entries that are gone."""
        self._fresh: dict[str, Posting] = {}
        self._forget()

    def _forget(self) -> None:
        self._weighed = Memo(self._weigh, MOST_WEIGHED)
        self._having = Memo(self._count, MOST_COUNTED)
        self._rarities = Memo(self._rare, MOST_COUNTED)
        self._readings = Readings(lambda slot: self.entries[slot])
        self._averages = (0.0, 0.0, 0.0)
        self._titles = Memo[int, float](lambda slot: math.fsum(map(self.rarity, self.reading(slot).title)))

    def __len__(self) -> int:
        return len(self.entries)

    def sync(self, entries: Sequence[Entry]) -> None:
        """Take in what changed since the last call. ``entries`` are in causal order."""
        given = self._given
        if entries is given or (len(entries) == len(given) and all(map(is_, entries, given))):
            return
        if self._path and not self._slots and len(entries) >= MANY:
            self._open(self._path)
        seen = {id(entry): slot for slot, entry in self.entries.items()}
        held: dict[int, Entry] = {}
        new: list[tuple[str, str, Entry]] = []
        for key, entry in _keyed(entries).items():
            slot = seen.get(id(entry))
            if slot is None:
                mark = _mark(entry)
                known = self._slots.get(key)
                slot = known[0] if known and known[1] == mark else None
                if slot is None:
                    new.append((key, mark, entry))
            if slot is not None:
                held[slot] = entry
        gone = [slot for slot, _ in self._slots.values() if slot not in held]
        self._slots = {key: known for key, known in self._slots.items() if known[0] in held}
        self._torn = self._torn or bool(gone)
        for slot in gone:
            self._lengths.pop(slot, None)
        self._forget()
        self._add(new, gone, held)
        self._given = entries
        self._arrange(entries, held)

    def _open(self, path: Path) -> None:
        self._kept = StoredPostings.open(path)
        self._keeps = self._kept is not None
        rows, self._next = self._kept.rows() if self._kept else ([], 0)
        self._torn = True
        for row in rows:
            self._slots[row.key] = (row.slot, row.mark)
            self._lengths[row.slot] = row.lengths

    def spoil(self) -> bool:
        """Have the postings on disk made anew by whoever opens them next; False when there are none."""
        if self._kept is None:
            return False
        self._kept.spoil()
        return True

    def _add(self, new: Sequence[tuple[str, str, Entry]], gone: Sequence[int], held: dict[int, Entry]) -> None:
        if self._keeps and self._kept and (new or gone):
            self._keeps = self._kept.claim()
            if self._keeps:
                postings: dict[str, Posting] = {}
                rows = self._place(new, held, postings)
                self._keeps = self._kept.add(rows, postings, gone)
                if self._keeps:
                    return
                for row in rows:
                    del held[row.slot], self._lengths[row.slot]
                    self._readings.drop(row.slot)
        # Another process may give the next slots in the file to other entries: from here on they are this one's own.
        if not self._keeps:
            self._next = max(self._next, MEMORY_ONLY)
        self._place(new, held, self._fresh)

    def _place(
        self, new: Sequence[tuple[str, str, Entry]], held: dict[int, Entry], postings: dict[str, Posting]
    ) -> list[StoredEntry]:
        """Give new entries slots and read them; what they say is added to the postings."""
        rows: list[StoredEntry] = []
        for key, mark, entry in new:
            slot, self._next = self._next, self._next + 1
            reading = read(entry)
            self._readings.offer(slot, reading)
            lengths = (reading.length, len(reading.names), len(reading.files))
            self._slots[key], self._lengths[slot], held[slot] = (slot, mark), lengths, entry
            rows.append(StoredEntry(slot, key, mark, lengths))
            for term, times in terms(reading):
                slots, counts = postings.setdefault(term, (array("I"), array("B")))
                slots.append(slot)
                counts.append(min(times, MOST_TIMES))
        return rows

    def _arrange(self, entries: Sequence[Entry], held: dict[int, Entry]) -> None:
        """Who stands where: the order of entries, what is around each, and the order of failures in time."""
        by_identity = {id(entry): slot for slot, entry in held.items()}
        ordered = [slot for entry in entries if (slot := by_identity.get(id(entry))) is not None]
        self.entries = held
        self.order = {slot: place for place, slot in enumerate(ordered)}
        self.around = Around(held, self.order, self.reading, lambda term: self.weighed(term).slots)
        self.failures = FailureAges(held, self.order)
        count = len(held) or 1
        totals = [sum(self._lengths[slot][channel] for slot in held) for channel in (WORDS, NAMES, FILES)]
        self._averages = (totals[0] / count, totals[1] / count, totals[2] / count)

    def weighed(self, term: str) -> Weighed:
        """The postings of a term with what it is worth in each; those of a term that nobody has are empty."""
        return self._weighed[term]

    def _weigh(self, term: str) -> Weighed:
        channel = channel_of(term)
        lengths, k1, b = self._lengths, K1[channel], B[channel]
        # saturate(times / shorten(length, average, b), k1), written out: this is where a question's time goes.
        fixed, longer, more = k1 * (1.0 - b), k1 * b / (self._averages[channel] or 1.0), k1 + 1.0
        slots, worths = array("I"), array("d")
        for having, counts in self._parts(term):
            slots += having
            held = zip(having, counts, strict=True)
            worths.extend([more * n / (n + fixed + longer * lengths[slot][channel]) for slot, n in held])
        return Weighed(slots, worths)

    def _parts(self, term: str) -> list[Posting]:
        parts = self._kept.postings(term) if self._kept else []
        parts += [self._fresh[term]] if term in self._fresh else []
        return [_alive(part, self.entries) for part in parts] if self._torn else parts

    def having(self, term: str) -> int:
        """How many entries have a term."""
        return self._having[term]

    def _count(self, term: str) -> int:
        return sum(len(slots) for slots, _ in self._parts(term))

    def size(self, slot: int, channel: int = WORDS) -> float:
        """What the counts of an entry's terms are divided by: 1 at the average length, more when it is longer."""
        return shorten(self._lengths[slot][channel], self._averages[channel], B[channel])

    def rarity(self, term: str) -> float:
        """How much it says that an entry has this term: its inverse document frequency."""
        return self._rarities[term]

    def _rare(self, term: str) -> float:
        elsewhere = BACKGROUND * self._common.get(term.removeprefix(NAME), 0.0)
        return idf(len(self.entries) + BACKGROUND, self.having(term) + elsewhere)

    def reading(self, slot: int) -> EntryReading:
        """What the entry in a slot says; the most recently read are remembered."""
        return self._readings[slot]

    def grams(self, slot: int) -> Sequence[str]:
        """The grams of all words of an entry, each once; remembered as readings are."""
        return self._readings.grams[slot]

    @property
    def average(self) -> float:
        """Terms of an entry on average."""
        return self._averages[WORDS]

    def title(self, slot: int) -> float:
        """How much all terms of the title of an entry say together."""
        return self._titles[slot]


def _alive(posting: Posting, entries: Mapping[int, Entry]) -> Posting:
    slots, counts = posting
    pairs = [(slot, times) for slot, times in zip(slots, counts, strict=True) if slot in entries]
    return array("I", [slot for slot, _ in pairs]), array("B", [times for _, times in pairs])


def _keyed(entries: Iterable[Entry]) -> dict[str, Entry]:
    """Entries by what stays the same when their words change; a copy in the same file counts once."""
    return {f"{entry.path}\0{entry.id}": entry for entry in entries}


def _mark(entry: Entry) -> str:
    """Content hash of everything that is read of an entry."""
    return digest("\0".join((entry.kind, entry.title, wording(entry), *entry.files, "\0", *entry.scope)))[:16]
