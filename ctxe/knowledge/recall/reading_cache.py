"""A cache of entry readings, each computed on first use; the oldest are dropped first."""

from __future__ import annotations

from collections.abc import Callable

from ctxe.knowledge.entries.entry import Entry
from ctxe.knowledge.recall.reading import EntryReading, grams, read_terms, wording, written_words
from ctxe.lexical.memo import Memo

MOST_HELD = 400_000
"""Distinct words in all cached readings together; each takes some 250 bytes."""


class ReadingCache(dict[int, EntryReading]):
    """``readings[slot]`` is the reading of a slot's entry, ``readings.grams[slot]`` the distinct grams of its words.

    The limit counts words, not readings: that of a long entry takes a hundred times the memory of a short one's.
    """

    __slots__ = ("_entry", "_most", "_words", "grams")

    def __init__(self, entry: Callable[[int], Entry], most: int = MOST_HELD) -> None:
        super().__init__()
        self._entry, self._most, self._words = entry, most, 0
        self.grams = Memo(self._all_grams)

    def __missing__(self, slot: int) -> EntryReading:
        reading = self[slot] = read_terms(self._entry(slot))
        self._words += len(reading.words)
        while self._words > self._most and len(self) > 1:
            self.drop(next(iter(self)))
        return reading

    def offer(self, slot: int, reading: EntryReading) -> None:
        """Cache a reading that is at hand, if nothing has to be dropped for it."""
        if self._words + len(reading.words) <= self._most:
            self._words += len(reading.words)
            self[slot] = reading

    def drop(self, slot: int) -> None:
        """Drop the reading of a slot, if it is cached."""
        if reading := self.pop(slot, None):
            self._words -= len(reading.words)
        self.grams.pop(slot, None)

    def _all_grams(self, slot: int) -> tuple[str, ...]:
        return tuple(set().union(*map(grams, written_words(wording(self._entry(slot))))))
