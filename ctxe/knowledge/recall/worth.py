"""Whether an entry that was found bears on the question enough to be said unasked, or nothing does."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ctxe.domain.value import dataclass
from ctxe.knowledge.entries.entry import Entry
from ctxe.knowledge.recall.signals import RECENT, SlotSignals, Vector

if TYPE_CHECKING:
    from ctxe.knowledge.recall.weights import Weights


@dataclass(frozen=True, slots=True)
class Scored:
    """An entry that was found; the difference of two scores is the log of how much likelier one answers."""

    entry: Entry
    score: float
    slot: int
    vector: Vector


CLUES = (
    "fit",  # the score, what speaks for an entry whatever is asked left out
    "behind",  # how far the best one's score is above this one's
    "lead_few",  # how far this one's score is above that of the fourth
    "lead_many",  # how far it is above that of the twentieth
    "rarest",  # rarity of the rarest word that question and entry share
    "alike",  # cosine of question and entry in words weighed by rarity
    "files",  # share of the question's files, by rarity, that are the entry's
    "head",  # share of the first line and error lines, by rarity, that the entry says
    "recent",  # failures only: what is new is likelier to come back
    "many",  # logarithm of how many entries there are: the best of many fits well by chance
)
ALSO = 1.0
"""How much less likely another entry may be than what it takes to speak at all, once something is said."""
START = "start"
LASTING = "lasting"
FITTED = {"failure": "failure", "log": "log"}
"""Whose weights the clues of an entry have, by its kind; every other kind is ``LASTING``. A failure that matches by
chance matches better than a decision does, and in other ways: each kind was fitted by itself.
"""
FEW, MANY = 3, 19
"""Places that a lead is taken over; where nobody stands there, the lead is over an entry that says nothing."""


def odds(look: SlotSignals, found: Sequence[Scored], weights: Weights) -> list[float]:
    """For each entry found, best first, the logarithm of the odds that it bears on the question, 0 where it pays to
    speak: a logistic regression over ``CLUES`` for each kind of entry (``scripts/fit-recall``).
    """
    fitted = [weights.inject[FITTED.get(one.entry.kind, LASTING)] for one in found]
    return [
        worth[START] + sum(worth[name] * value for name, value in zip(CLUES, clue, strict=True))
        for worth, clue in zip(fitted, clues(look, found, weights), strict=True)
    ]


def told(look: SlotSignals, found: Sequence[Scored], weights: Weights) -> list[Scored]:
    """What is said unasked of the entries found: nothing unless one of them likely bears on the question."""
    chances = odds(look, found, weights)
    if max(chances, default=-1.0) < 0.0:
        return []
    return [one for one, chance in zip(found, chances, strict=True) if chance >= -ALSO]


def clues(look: SlotSignals, found: Sequence[Scored], weights: Weights) -> Iterator[tuple[float, ...]]:
    """The clues of each entry, in the order of ``CLUES``."""
    recent = weights.counting(look.question)["recent"]
    fits = [one.score - recent * one.vector[RECENT] for one in found]
    ranks = sorted(fits, reverse=True)
    few, many = (ranks[place] if len(ranks) > place else 0.0 for place in (FEW, MANY))
    rarity, asked = look.postings.rarity, look.question
    length = math.sqrt(math.fsum(rarity(term) ** 2 for term in asked.words))
    heads = math.fsum(map(rarity, asked.head)) or 1.0
    files = math.fsum(map(rarity, asked.files)) or 1.0
    many_entries = math.log1p(len(look.postings))
    for one, fit in zip(found, fits, strict=True):
        reading = look.postings.reading(one.slot)
        shared = [rarity(term) for term in asked.words if term in reading.words]
        whole = math.sqrt(math.fsum(rarity(term) ** 2 for term in reading.words))
        yield (
            fit,
            ranks[0] - fit,
            fit - few,
            fit - many,
            max(shared, default=0.0),
            math.fsum(worth * worth for worth in shared) / (length * whole or 1.0),
            math.fsum(map(rarity, reading.files & asked.files)) / files,
            math.fsum(rarity(term) for term in asked.head if term in reading.words) / heads,
            one.vector[RECENT],
            many_entries,
        )
