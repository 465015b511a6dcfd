"""Computes from cached features how many of the changed lines a plan shows, by the planner's own packing code."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from ctxe.repo.planning.pack import RESERVED_SHARE, Offer, chances_of, pick
from ctxe.repo.planning.showing import MARKER
from scripts.fitting.features import Inside, Opened

BUDGETS = (4000, 8000, 16000, 32000)
HEADER = 3 * MARKER


def chances(file: Inside, weights: Mapping[str, float]) -> list[float]:
    """Probability that each unit of a file is changed (see ctxe.repo.planning.relevance)."""
    sums = [sum(weights.get(name, 0.0) * value for name, value in unit.items()) for unit in file.traits]
    powers = [math.exp(one - max(sums)) for one in sums]
    return [power / sum(powers) for power in powers]


def offers(one: Opened, weights: Mapping[str, float]) -> list[Offer]:
    """The blocks of a case's files, weighted by their probability within the file."""
    found: list[Offer] = []
    for number, file in enumerate(one.files):
        chance = chances(file, weights)
        size: dict[int, int] = {}
        for unit, first, last, _ in file.blocks:
            size[unit] = size.get(unit, 0) + last - first + 1
        found += [
            (chance[unit] * (last - first + 1) / size[unit], number, first, last, tokens)
            for unit, first, last, tokens in file.blocks
        ]
    return found


def shown(one: Opened, offered: Sequence[Offer], budget: int, certainty: float, lean: float) -> float:
    """The share of the changed lines that the budget shows."""
    total = sum(map(len, one.lines.values()))
    if not total:
        return 0.0
    room = budget - int(RESERVED_SHARE * budget)
    likely = chances_of({number: file.score for number, file in enumerate(one.files)}, certainty, lean)
    weighed = [(likely[number] * worth, number, *rest) for worth, number, *rest in offered]
    chosen, _ = pick(weighed, dict.fromkeys(range(len(one.files)), HEADER), room)  # type: ignore[arg-type]
    return sum(len(lines & one.lines.get(one.files[number].path, set())) for number, lines in chosen.items()) / total


def lines_shown(opened: Sequence[Opened], weights: Mapping[str, float], certainty: float, lean: float) -> list[float]:
    """Mean percentage over cases of the changed lines shown within each budget."""
    sums = [0.0] * len(BUDGETS)
    for one in opened:
        offered = offers(one, weights)
        for place, budget in enumerate(BUDGETS):
            sums[place] += shown(one, offered, budget, certainty, lean)
    return [100.0 * each / max(1, len(opened)) for each in sums]


def gaps(opened: Sequence[Opened]) -> list[tuple[float, float]]:
    """For each file the distance of its score from the best one's, and its share of the changed lines."""
    found = []
    for one in opened:
        total = sum(map(len, one.lines.values()))
        most = max((file.score for file in one.files), default=0.0)
        found += [(most - file.score, len(one.lines.get(file.path, ())) / total) for file in one.files if total]
    return found
