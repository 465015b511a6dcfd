"""Fits weights by a softmax over the files of each case, with languages balanced, and scores rankings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from scipy.optimize import minimize

from scripts.fitting.cases import FAMILIES, Case
from scripts.fitting.features import Seen

SHARPNESS = 6.0
"""Inverse temperature of the softmax over scores."""
L1, L2, L2_UNITS = 3e-3, 1e-3, 5e-3
EITHER_WAY = frozenset(("type", "window"))
"""Traits of units that may also have negative weights."""
RANKS_REPORTED = (1, 3, 5, 10)
Array = Any
Ranks = list[list[int]]


class Table:
    """The votes of all cases as one matrix: two columns per signal (share of best, vote by rank), one row per file."""

    def __init__(self, seen: Sequence[Seen], names: Sequence[str], room: float) -> None:
        self.names, self.cases = list(names), [one.case for one in seen]
        parts = [_votes(one, names, room) for one in seen]
        self.start = np.cumsum([0, *(len(part) for part in parts)])
        self.votes = np.concatenate(parts)
        self.gold = np.concatenate([[path in one.case.gold for path in one.paths] for one in seen])
        self.case = np.repeat(np.arange(len(seen)), np.diff(self.start))

    def column(self, name: str) -> list[int]:
        """The columns of a signal."""
        place = self.names.index(name)
        return [2 * place, 2 * place + 1]


def _votes(one: Seen, names: Sequence[str], room: float) -> Array:
    """As ctxe.repo.planning.mix counts them."""
    columns = []
    for name in names:
        values = np.array(one.said[name], dtype=np.float32)
        most = values.max() if len(values) and values.max() > 0 else 1.0
        place = np.searchsorted(np.sort(-values), -values, side="left")
        columns += [np.maximum(values, 0) / most, np.where(values > 0, room / (room + place), 0.0)]
    return np.stack(columns, 1).astype(np.float32)


def balanced(cases: Sequence[Case], use: Array) -> Array:
    """The weight of each case, divided by the root of the number of cases in its language; 0 where not used."""
    families = [FAMILIES.get(case.language, case.language) for case in cases]
    many = Counter(family for family, used in zip(families, use, strict=True) if used)
    weights = np.array([many[family] ** -0.5 if used else 0.0 for family, used in zip(families, use, strict=True)])
    return weights / weights.sum()


def fit(table: Table, weights: Array, allowed: Sequence[int] | None = None, steps: int = 150) -> Array:
    """Fit non-negative weights that rank the files of a change above the others; columns not allowed get 0."""
    columns = np.arange(table.votes.shape[1]) if allowed is None else np.array(allowed)
    rows = weights[table.case] > 0
    votes, gold = table.votes[rows][:, columns], table.gold[rows]
    known, case = np.unique(table.case[rows], return_inverse=True)
    loss = _loss(votes, gold, case, weights[known])
    found = minimize(loss, np.full(len(columns), 0.1), jac=True, method="L-BFGS-B", bounds=[(0, None)] * len(columns),
                     options={"maxiter": steps})  # fmt: skip
    whole = np.zeros(table.votes.shape[1])
    whole[columns] = found.x
    return whole


def _loss(votes: Array, gold: Array, case: Array, weights: Array) -> Callable[[Array], tuple[float, Array]]:
    """For each changed file the negative log of its probability against all unchanged files."""
    start = np.searchsorted(case, np.arange(len(weights)))
    golds = np.bincount(case, weights=gold, minlength=len(weights))
    others = np.bincount(case, weights=~gold, minlength=len(weights))
    worth = (np.where((golds > 0) & (others > 0), weights, 0.0) / np.maximum(golds, 1))[case]

    def loss(x: Array) -> tuple[float, Array]:
        score = SHARPNESS * (votes @ x.astype(np.float32)).astype(float)
        rest = np.where(gold, -np.inf, score)
        most = np.maximum.reduceat(rest, start)
        most = np.where(np.isfinite(most), most, 0.0)
        power = np.where(gold, 0.0, np.exp(np.minimum(0.0, rest - most[case])))
        total = np.maximum(np.add.reduceat(power, start), 1e-12)
        behind = (most + np.log(total))[case] - score
        lost = np.where(gold, np.logaddexp(0.0, behind), 0.0) * worth
        pull = np.where(gold, 1.0 / (1.0 + np.exp(-np.clip(behind, -60, 60))), 0.0) * worth
        slope = -pull + power / total[case] * np.add.reduceat(pull, start)[case]
        gradient = SHARPNESS * (slope.astype(np.float32) @ votes).astype(float)
        return float(lost.sum() + L1 * x.sum() + L2 * (x * x).sum()), gradient + L1 + 2 * L2 * x

    return loss


def left_out(table: Table, folds: int = 29, allowed: Sequence[int] | None = None) -> Array:
    """Score of every file by weights that never saw its repository: cross-validation in ``folds`` groups."""
    names = sorted({case.repo for case in table.cases})
    group = {name: place % folds for place, name in enumerate(names)}
    mine = np.array([group[case.repo] for case in table.cases])
    scores = np.zeros(len(table.gold))
    for fold in range(min(folds, len(names))):
        held = mine == fold
        rows = held[table.case]
        scores[rows] = table.votes[rows] @ fit(table, balanced(table.cases, ~held), allowed, 80)
    return scores


def ranks(table: Table, scores: Array) -> Ranks:
    """The rank of every file of each change; a million for a file that is not a candidate."""
    found = []
    for number, case in enumerate(table.cases):
        part = slice(table.start[number], table.start[number + 1])
        here, gold = scores[part], np.flatnonzero(table.gold[part])
        places = [int((here > here[g]).sum() + (here[:g] == here[g]).sum()) + 1 for g in gold]
        found.append(places + [10**6] * (len(case.gold) - len(places)))
    return found


def figures(found: Ranks, among: Sequence[bool] | None = None) -> Mapping[str, float]:
    """Acc@1, 3, 5, 10 in per cent (all files of a change within the first k) and MRR of the best ranked."""
    some = [one for one, used in zip(found, among, strict=True) if used] if among is not None else found
    if not some:
        return {}
    accuracy = {f"@{k}": 100.0 * float(np.mean([max(one) <= k for one in some])) for k in RANKS_REPORTED}
    return {"n": len(some), **accuracy, "MRR": float(np.mean([1.0 / min(one) for one in some]))}


def fit_units(rows: Sequence[tuple[list[dict[str, float]], list[int]]], names: Sequence[str]) -> dict[str, float]:
    """Fit the weights of the traits of units by a softmax over the units of a file; the target is the changed lines."""
    traits = np.array([[unit.get(name, 0.0) for name in names] for units, _ in rows for unit in units])
    sizes = [len(units) for units, _ in rows]
    file, start = np.repeat(np.arange(len(rows)), sizes), np.cumsum([0, *sizes[:-1]])
    aim = np.concatenate([np.array(touched) / max(1, sum(touched)) for _, touched in rows])

    def loss(x: Array) -> tuple[float, Array]:
        score = traits @ x
        score = score - np.maximum.reduceat(score, start)[file]
        power = np.exp(score)
        chance = power / np.add.reduceat(power, start)[file]
        lost = -(aim * np.log(np.maximum(chance, 1e-12))).sum() / len(rows)
        return float(lost + L2_UNITS * (x * x).sum()), (chance - aim) @ traits / len(rows) + 2 * L2_UNITS * x

    bounds = [(None if name in EITHER_WAY else 0.0, None) for name in names]
    found = minimize(loss, np.zeros(len(names)), jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 300})
    return {name: float(weight) for name, weight in zip(names, found.x, strict=True)}


def fit_chance(gaps: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """(certainty, lean) of a logistic probability, fitted to each file's distance from the best score and its share."""
    gap, share = np.array(gaps).T

    def loss(at: Array) -> float:
        said = at[1] - at[0] * gap
        return float(np.sum(np.logaddexp(0.0, said) - share * said))

    found = minimize(loss, np.array([6.0, 0.0])).x
    return round(float(found[0]), 1), round(float(found[1]), 1)
