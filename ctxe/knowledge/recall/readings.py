"""Readings of entries, each made when it is first asked for and remembered while it is among the newest."""

from __future__ import annotations

from collections.abc import Callable

from ctxe.knowledge.entries.entry import Entry
from ctxe.knowledge.recall.reading import EntryReading, grams, pieces, read, wording
from ctxe.lexical.memo import Memo

MOST_HELD = 400_000
"""Different words of entries whose readings are remembered together, each of some 250 bytes."""


class Readings(dict[int, EntryReading]):
    """``readings[slot]`` is what the entry in a slot says, ``readings.grams[slot]`` the grams of its words, each once.

    Those of long entries weigh a hundred times what those of short ones do: it is their words that are counted.
    """

    __slots__ = ("_entry", "_most", "_words", "grams")

    def __init__(self, entry: Callable[[int], Entry], most: int = MOST_HELD) -> None:
        super().__init__()
        self._entry, self._most, self._words = entry, most, 0
        self.grams = Memo(self._all_grams)

    def __missing__(self, slot: int) -> EntryReading:
        reading = self[slot] = read(self._entry(slot))
        self._words += len(reading.words)
        while self._words > self._most and len(self) > 1:
            self.drop(next(iter(self)))
        return reading

    def offer(self, slot: int, reading: EntryReading) -> None:
        """Remember a reading that is at hand if nothing has to go for it."""
        if self._words + len(reading.words) <= self._most:
            self._words += len(reading.words)
            self[slot] = reading

    def drop(self, slot: int) -> None:
        """Forget what the entry in a slot says, if it is remembered."""
        if reading := self.pop(slot, None):
            self._words -= len(reading.words)
        self.grams.pop(slot, None)

    def _all_grams(self, slot: int) -> tuple[str, ...]:
        return tuple(set().union(*map(grams, pieces(wording(self._entry(slot))))))
