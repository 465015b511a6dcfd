"""Mixing signals into one score: non-negative votes by share of the best and by rank, with fitted weights."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from functools import cache

from ctxe.data import read_text
from ctxe.domain.value import dataclass, field, replace
from ctxe.repo.planning.evidence import Scores
from ctxe.repo.planning.task_kinds import Odds

RANK_ROOM = 5.0
"""A file of rank r (from 0) has 5 / (5 + r) of the vote by rank."""

Weights = Mapping[str, tuple[float, float]]
"""For each signal the weight of its share of the best, and that of its rank."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """What was learnt from past changes.

    ``first`` and ``second`` weigh the signals, ``units`` the traits of units, ``common`` words that any project uses.
    ``kinds`` is what words of a title say of the kind of file it asks for.
    ``certainty`` and ``lean`` turn how far a score lies below the best one's into a chance (see pack.chances_of).
    """

    first: Weights
    second: Weights
    units: Mapping[str, float] = field(default_factory=dict)
    common: Mapping[str, float] = field(default_factory=dict)
    certainty: float = 6.3
    lean: float = -0.1
    kinds: Odds = field(default_factory=dict)


@cache
def fitted() -> Fitted:
    """The weights that ship with ctxe (made by scripts/fit-planner)."""
    raw = json.loads(read_text("planner.json"))
    first, second = ({name: (pair[0], pair[1]) for name, pair in raw[key].items()} for key in ("first", "second"))
    return Fitted(first, second, raw["units"], raw["common"], raw["certainty"], raw["lean"], raw["kinds"])


def weighed(learnt: Fitted, signal: str, times: float) -> Fitted:
    """The same weights but for one signal, which counts so many times as much."""
    share, rank = learnt.second.get(signal, (0.0, 0.0))
    return replace(learnt, second={**learnt.second, signal: (times * share, times * rank)})


def votes(scores: Scores, judged: Collection[int]) -> dict[int, tuple[float, float]]:
    """For every file with a score: its share of the best, and its vote by rank.

    The ``judged`` files set the measure, where any of them has a score.
    """
    positive = {number: score for number, score in scores.items() if score > 0.0}
    values = sorted((score for number, score in positive.items() if number in judged), reverse=True)
    values = values or sorted(positive.values(), reverse=True)
    if not values:
        return {}
    most = values[0]
    rank: dict[float, int] = {}
    for place, score in enumerate(values):
        rank.setdefault(score, place)
    found = {}
    for number, score in positive.items():
        place = rank[score] if score in rank else _place(values, score)
        found[number] = (min(1.0, score / most), RANK_ROOM / (RANK_ROOM + place))
    return found


def _place(values: list[float], score: float) -> int:
    """How many of the falling values are greater."""
    low, high = 0, len(values)
    while low < high:
        middle = (low + high) // 2
        if values[middle] > score:
            low = middle + 1
        else:
            high = middle
    return low


def mixed(signals: Mapping[str, dict[int, tuple[float, float]]], weights: Weights) -> Scores:
    """The weighted sum of all votes."""
    found: Scores = {}
    for name, ballot in signals.items():
        share, rank = weights.get(name, (0.0, 0.0))
        if share or rank:
            for number, (part, place) in ballot.items():
                found[number] = found.get(number, 0.0) + share * part + rank * place
    return found
