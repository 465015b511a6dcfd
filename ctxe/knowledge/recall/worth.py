"""Decides whether the entries that were found are relevant enough to be injected unasked."""

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
    """A found entry. The difference of two scores is the log of how much likelier one entry answers than the other."""

    entry: Entry
    score: float
    slot: int
    vector: Vector


CLUES = (
    "fit",  # the score without signals that do not depend on the question
    "behind",  # how far the score is below the best one
    "lead_few",  # how far the score is above the fourth best
    "lead_many",  # how far the score is above the twentieth best
    "rarest",  # rarity of the rarest word that question and entry share
    "alike",  # cosine of question and entry, words weighted by rarity
    "files",  # share of the question's files, by rarity, that the entry has
    "head",  # share of the first line and error lines, by rarity, that the entry has
    "recent",  # failures only: recent ones are likelier to recur
    "many",  # log of the number of entries: the best of many fits well by chance
)
ALSO = 1.0
"""Once something is said, log odds by which another entry may be below the threshold."""
START = "start"
LASTING = "lasting"
FITTED = {"failure": "failure", "log": "log"}
"""Which weights an entry's clues have, by its kind; all other kinds use LASTING. Each was fitted separately, because a
chance match of a failure scores higher than that of a decision, and by other clues."""
FEW, MANY = 3, 19
"""Ranks (from 0) over which a lead is measured; with fewer entries, the lead is over a score of 0."""


def relevance_odds(look: SlotSignals, found: Sequence[Scored], weights: Weights) -> list[float]:
    """For each found entry, best first, the log odds that it is relevant; at 0 it is worth injecting.

    A logistic regression over CLUES for each kind of entry (``scripts/fit-recall``).
    """
    fitted = [weights.inject[FITTED.get(one.entry.kind, LASTING)] for one in found]
    return [
        coefficients[START] + sum(coefficients[name] * value for name, value in zip(CLUES, clue, strict=True))
        for coefficients, clue in zip(fitted, clues(look, found, weights), strict=True)
    ]


def relevant(look: SlotSignals, found: Sequence[Scored], weights: Weights) -> list[Scored]:
    """The found entries to inject: none unless at least one is likely relevant."""
    chances = relevance_odds(look, found, weights)
    if max(chances, default=-1.0) < 0.0:
        return []
    return [one for one, chance in zip(found, chances, strict=True) if chance >= -ALSO]


def clues(look: SlotSignals, found: Sequence[Scored], weights: Weights) -> Iterator[tuple[float, ...]]:
    """The clues of each entry, in the order of CLUES."""
    recent = weights.counting(look.question)["recent"]
    fits = [one.score - recent * one.vector[RECENT] for one in found]
    ranks = sorted(fits, reverse=True)
    few, many = (ranks[place] if len(ranks) > place else 0.0 for place in (FEW, MANY))
    rarity, question = look.postings.rarity, look.question
    length = math.sqrt(math.fsum(rarity(term) ** 2 for term in question.words))
    heads = math.fsum(map(rarity, question.head)) or 1.0
    files = math.fsum(map(rarity, question.files)) or 1.0
    many_entries = math.log1p(len(look.postings))
    for one, fit in zip(found, fits, strict=True):
        reading = look.postings.reading(one.slot)
        shared = [rarity(term) for term in question.words if term in reading.words]
        whole = math.sqrt(math.fsum(rarity(term) ** 2 for term in reading.words))
        yield (
            fit,
            ranks[0] - fit,
            fit - few,
            fit - many,
            max(shared, default=0.0),
            math.fsum(worth * worth for worth in shared) / (length * whole or 1.0),
            math.fsum(map(rarity, reading.files & question.files)) / files,
            math.fsum(rarity(term) for term in question.head if term in reading.words) / heads,
            one.vector[RECENT],
            many_entries,
        )
