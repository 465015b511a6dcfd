"""Mixing all signals into one score: each file gets votes by its score and by its rank, weighted as fitted."""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Collection, Mapping
from functools import cache

from ctxe.data import read_text
from ctxe.domain.value import dataclass, field, replace
from ctxe.repo.planning.evidence import Scores
from ctxe.repo.planning.task_kinds import Odds

RANK_ROOM = 5.0
"""A file of rank r (from 0) gets 5 / (5 + r) as its vote by rank."""

Weights = Mapping[str, tuple[float, float]]
"""For each signal, the weight of the vote by score and the weight of the vote by rank."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """The numbers fitted to past changes of public projects.

    ``first`` weighs the signals of the first mix and ``second`` those of the final one. ``units`` weighs the features
    of units (see ``relevance``), ``common`` the words that every project uses. ``kinds`` holds the odds by which words
    of a title ask for a kind of file. ``certainty`` and ``lean`` turn a score into a chance (see ``pack.chances_of``).
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
    """The numbers that ship with ctxe; scripts/fit-planner makes them."""
    raw = json.loads(read_text("planner.json"))
    first, second = ({name: (pair[0], pair[1]) for name, pair in raw[key].items()} for key in ("first", "second"))
    return Fitted(first, second, raw["units"], raw["common"], raw["certainty"], raw["lean"], raw["kinds"])


def weighed(learnt: Fitted, signal: str, times: float) -> Fitted:
    """The fitted numbers, with the final weights of one signal multiplied by ``times``."""
    share, rank = learnt.second.get(signal, (0.0, 0.0))
    return replace(learnt, second={**learnt.second, signal: (times * share, times * rank)})


def votes(scores: Scores, judged: Collection[int]) -> dict[int, tuple[float, float]]:
    """For every file with a positive score: its score as a share of the best one, and its vote by rank.

    Best score and ranks are those among the ``judged`` files, or among all files when no judged file has a score.
    """
    positive = {number: score for number, score in scores.items() if score > 0.0}
    values = sorted((score for number, score in positive.items() if number in judged), reverse=True)
    values = values or sorted(positive.values(), reverse=True)
    if not values:
        return {}
    best = values[0]
    negated = [-score for score in values]
    votes_by_file = {}
    for number, score in positive.items():
        rank = bisect_left(negated, -score)
        votes_by_file[number] = (min(1.0, score / best), RANK_ROOM / (RANK_ROOM + rank))
    return votes_by_file


def mixed(signals: Mapping[str, dict[int, tuple[float, float]]], weights: Weights) -> Scores:
    """The weighted sum of each file's votes. ``signals`` maps a signal's name to the votes that it gives."""
    totals: Scores = {}
    for name, ballot in signals.items():
        share, rank = weights.get(name, (0.0, 0.0))
        if share or rank:
            for number, (part, place) in ballot.items():
                totals[number] = totals.get(number, 0.0) + share * part + rank * place
    return totals
