"""How much of the changed lines a plan would show, computed from kept features by the code that packs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from ctxe.repo.planning.pack import ASIDE, MARKER, Offer, odds, pick
from scripts.fitting.features import Inside, Opened

BUDGETS = (4000, 8000, 16000, 32000)
CERTAINTY, SPREAD = (4.0, 5.0, 6.0, 8.0), (0.0, 0.25, 0.5)
HEADER = 3 * MARKER


def chances(file: Inside, weights: Mapping[str, float]) -> list[float]:
    """The chance of each unit of a file to be changed (see ctxe.repo.planning.relevance)."""
    sums = [sum(weights.get(name, 0.0) * value for name, value in unit.items()) for unit in file.traits]
    powers = [math.exp(one - max(sums)) for one in sums]
    return [power / sum(powers) for power in powers]


def offers(one: Opened, weights: Mapping[str, float]) -> list[Offer]:
    """The blocks of a case's files, worth their chance within the file."""
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


def shown(one: Opened, offered: Sequence[Offer], budget: int, certainty: float, spread: float) -> float:
    """The share of the changed lines that the budget shows."""
    total = sum(map(len, one.lines.values()))
    if not total:
        return 0.0
    room = budget - int(ASIDE * budget)
    likely = odds({number: file.score for number, file in enumerate(one.files)}, room, certainty, spread)
    weighed = [(likely[number] * worth, number, *rest) for worth, number, *rest in offered]
    chosen, _ = pick(weighed, dict.fromkeys(range(len(one.files)), HEADER), room)  # type: ignore[arg-type]
    return sum(len(lines & one.lines.get(one.files[number].path, set())) for number, lines in chosen.items()) / total


def lines_shown(opened: Sequence[Opened], weights: Mapping[str, float], certainty: float, spread: float) -> list[float]:
    """Per cent of the changed lines shown within each budget, the mean over cases."""
    sums = [0.0] * len(BUDGETS)
    for one in opened:
        offered = offers(one, weights)
        for place, budget in enumerate(BUDGETS):
            sums[place] += shown(one, offered, budget, certainty, spread)
    return [100.0 * each / max(1, len(opened)) for each in sums]


def best_certainty(opened: Sequence[Opened], weights: Mapping[str, float]) -> tuple[float, float]:
    """How much scores and room should count (see ctxe.repo.planning.pack.odds), for the most lines over all budgets."""
    pairs = [(certainty, spread) for certainty in CERTAINTY for spread in SPREAD]
    return max(pairs, key=lambda pair: sum(lines_shown(opened, weights, *pair)))
