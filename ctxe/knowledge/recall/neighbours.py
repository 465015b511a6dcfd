"""The neighbours of an entry: turns of its session, entries linked by a mention, and later failures."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Collection, Mapping, Sequence

from ctxe.knowledge.entries.entry import Entry
from ctxe.knowledge.recall.reading import EntryReading, id_term, wording, words_beside

MOST_CITING = 32
"""Entries whose text near a mention is read; of more, the newest. An entry mentioned by many is described by any of
them."""

Mentioned = tuple[float, Mapping[str, int]]
"""The time of an entry that mentions another one, and the count of each word near the mention."""


class Neighbours:
    """The neighbours of the entries in some slots; valid while these do not change, and computed when first needed."""

    def __init__(
        self,
        entries: Mapping[int, Entry],
        order: Mapping[int, int],
        reading: Callable[[int], EntryReading],
        having: Callable[[str], Sequence[int]],
    ) -> None:
        """``order`` maps slots, in causal order, to their positions; ``having`` returns the slots that have a term."""
        self._entries, self._order, self._reading, self._having = entries, order, reading, having
        self._sessions: dict[str, list[int]] = {}
        self._places: dict[int, int] = {}
        self._by_mention: dict[str, int] | None = None
        self._mentions: dict[int, Sequence[Mentioned]] = {}
        for slot in order:
            entry = entries[slot]
            if entry.kind == "log" and entry.session:
                turns = self._sessions.setdefault(entry.session, [])
                self._places[slot] = len(turns)
                turns.append(slot)

    def turns(self, slot: int, reach: int) -> Sequence[int]:
        """The entry and at most ``reach`` turns before and after it in its session; empty outside a session."""
        place = self._places.get(slot)
        if place is None:
            return ()
        turns = self._sessions[self._entries[slot].session]
        return turns[max(0, place - reach) : place + reach + 1]

    def before(self, slot: int) -> int | None:
        """The previous turn of its session, or None."""
        place = self._places.get(slot)
        return self._sessions[self._entries[slot].session][place - 1] if place else None

    def mentioned(self, slot: int) -> list[int]:
        """The entries that this one mentions by id, except turns of sessions."""
        terms = self._reading(slot).mentions
        if not terms:
            return []
        if self._by_mention is None:
            lasting = (slot for slot in self._order if self._entries[slot].kind != "log")
            self._by_mention = {term: slot for slot in lasting if (term := id_term(self._entries[slot].id))}
        return [self._by_mention[term] for term in sorted(terms) if term in self._by_mention]

    def said_of(self, slot: int) -> Sequence[Mentioned]:
        """What the newest entries that mention this one say near its id; in no particular order."""
        known = self._mentions.get(slot)
        if known is None:
            known = self._mentions[slot] = self._read_mentions(slot)
        return known

    def _read_mentions(self, slot: int) -> Sequence[Mentioned]:
        term = id_term(self._entries[slot].id)
        citing: Sequence[int] = self._having(term) if term else ()
        citing = sorted(citing, key=self._order.__getitem__)[-MOST_CITING:] if len(citing) > MOST_CITING else citing
        entries = [self._entries[other] for other in citing]
        return [(entry.time, words_beside(wording(entry), term)) for entry in entries]


class FailureAges:
    """How many failures came after each failure."""

    def __init__(self, entries: Mapping[int, Entry], order: Mapping[int, int]) -> None:
        """``order`` is the causal order of the slots; it breaks ties between equal times."""
        failed = sorted((entries[slot].time, at, slot) for slot, at in order.items() if entries[slot].kind == "failure")
        self._moments = [moment for moment, _, _ in failed]
        self._places = {slot: place for place, (_, _, slot) in enumerate(failed)}

    def among(self, slots: Collection[int], as_of: float | None) -> list[tuple[int, int]]:
        """The failures among the slots, each with the number of failures after it (and before ``as_of``)."""
        if not self._places:
            return []
        newest = (len(self._moments) if as_of is None else bisect_left(self._moments, as_of)) - 1
        found = zip(slots, map(self._places.get, slots), strict=True)
        return [(slot, newest - at if at < newest else 0) for slot, at in found if at is not None]
