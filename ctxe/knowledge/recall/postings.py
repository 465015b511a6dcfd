"""Postings of all entries: the weight of a term in an entry, and the rarity of a term."""

from __future__ import annotations

import math
from array import array
from collections.abc import Mapping, Sequence
from operator import is_
from pathlib import Path
from types import MappingProxyType

from ctxe.domain.value import dataclass
from ctxe.knowledge.entries.entry import Entry
from ctxe.knowledge.recall.neighbours import FailureAges, Neighbours
from ctxe.knowledge.recall.reading import NAME, EntryReading
from ctxe.knowledge.recall.reading_cache import ReadingCache
from ctxe.knowledge.recall.table import PostingTable
from ctxe.knowledge.recall.terms import FILES, K1, NAMES, WORDS, B, channel_of
from ctxe.lexical.bm25 import idf, length_norm
from ctxe.lexical.memo import Memo

BACKGROUND = 200
NOTHING_COMMON: Mapping[str, float] = MappingProxyType({})
MOST_WEIGHED = 4_096
MOST_COUNTED = 100_000


@dataclass(frozen=True, slots=True)
class Weighed:
    """The slots that have a term, and the term's weight in each, without its rarity."""

    slots: Sequence[int]
    worths: Sequence[float]


class Postings:
    """The weight of each term in each entry, by slot. ``cache`` is the folder of the PostingTable.

    ``common`` is the share of texts elsewhere that have a term (0 for terms not listed). Rarity is computed as if
    BACKGROUND of those texts were here too, because a handful of entries cannot tell common words from rare ones.
    """

    def __init__(self, cache: Path | None = None, common: Mapping[str, float] = NOTHING_COMMON) -> None:
        self._common = common
        self._table = PostingTable(cache)
        self._lengths = self._table.lengths
        self.entries: dict[int, Entry] = {}
        self.order: dict[int, int] = {}
        self.around = Neighbours({}, {}, self.reading, lambda _: ())
        self.failures = FailureAges({}, {})
        self._given: Sequence[Entry] = ()
        self._forget()

    def _forget(self) -> None:
        self._weighed = Memo(self._weigh, MOST_WEIGHED)
        self._having = Memo(self._count, MOST_COUNTED)
        self._rarities = Memo(self._rare, MOST_COUNTED)
        self._readings = ReadingCache(lambda slot: self.entries[slot])
        self._averages = (0.0, 0.0, 0.0)
        self._titles = Memo[int, float](lambda slot: math.fsum(map(self.rarity, self.reading(slot).title)))

    def __len__(self) -> int:
        return len(self.entries)

    def sync(self, entries: Sequence[Entry]) -> None:
        """Update to ``entries``, which are in causal order; only what changed since the last call is read."""
        given = self._given
        if entries is given or (len(entries) == len(given) and all(map(is_, entries, given))):
            return
        self._forget()
        self._table.sync(entries, self._readings)
        self._given = entries
        self._arrange(entries)

    def spoil(self) -> bool:
        """Have the postings on disk rebuilt by whoever opens them next; False when there are none."""
        return self._table.spoil()

    def _arrange(self, entries: Sequence[Entry]) -> None:
        """Recompute the order of the entries, their neighbours, the order of failures, and the average lengths."""
        entries_by_slot = self._table.entries
        by_identity = {id(entry): slot for slot, entry in entries_by_slot.items()}
        ordered = [slot for entry in entries if (slot := by_identity.get(id(entry))) is not None]
        self.entries = entries_by_slot
        self.order = {slot: place for place, slot in enumerate(ordered)}
        self.around = Neighbours(entries_by_slot, self.order, self.reading, lambda term: self.weighed(term).slots)
        self.failures = FailureAges(entries_by_slot, self.order)
        count = len(entries_by_slot) or 1
        totals = [sum(self._lengths[slot][channel] for slot in entries_by_slot) for channel in (WORDS, NAMES, FILES)]
        self._averages = (totals[0] / count, totals[1] / count, totals[2] / count)

    def weighed(self, term: str) -> Weighed:
        """The postings of a term with its weight in each; empty for an unknown term."""
        return self._weighed[term]

    def _weigh(self, term: str) -> Weighed:
        channel = channel_of(term)
        lengths, k1, b = self._lengths, K1[channel], B[channel]
        # This is saturate(times / shorten(length, average, b), k1) written out: most of a query's time is spent here.
        fixed, longer, more = k1 * (1.0 - b), k1 * b / (self._averages[channel] or 1.0), k1 + 1.0
        slots, weights = array("I"), array("d")
        for having, counts in self._table.parts(term):
            slots += having
            counted = zip(having, counts, strict=True)
            weights.extend([more * n / (n + fixed + longer * lengths[slot][channel]) for slot, n in counted])
        return Weighed(slots, weights)

    def having(self, term: str) -> int:
        """The number of entries that have a term."""
        return self._having[term]

    def _count(self, term: str) -> int:
        return sum(len(slots) for slots, _ in self._table.parts(term))

    def size(self, slot: int, channel: int = WORDS) -> float:
        """The divisor of an entry's term counts: 1 at the average length, greater for longer entries."""
        return length_norm(self._lengths[slot][channel], self._averages[channel], B[channel])

    def rarity(self, term: str) -> float:
        """The inverse document frequency of a term."""
        return self._rarities[term]

    def _rare(self, term: str) -> float:
        elsewhere = BACKGROUND * self._common.get(term.removeprefix(NAME), 0.0)
        return idf(len(self.entries) + BACKGROUND, self.having(term) + elsewhere)

    def reading(self, slot: int) -> EntryReading:
        """The reading of the entry in a slot; the most recent ones are cached."""
        return self._readings[slot]

    def grams(self, slot: int) -> Sequence[str]:
        """The distinct grams of all words of an entry; cached like readings."""
        return self._readings.grams[slot]

    @property
    def average(self) -> float:
        """Average number of word terms per entry."""
        return self._averages[WORDS]

    def title(self, slot: int) -> float:
        """The summed rarity of the terms in an entry's title."""
        return self._titles[slot]
