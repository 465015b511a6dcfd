"""Estimating where in a file a change will be made: a chance for each unit, learnt from lines that fixes touched."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise

from ctxe.domain.value import dataclass
from ctxe.repo.indexing.store import Details
from ctxe.repo.planning.evidence import UNIT_BITS, Evidence
from ctxe.repo.planning.signals.mentions import fitting, names_in_task

_VIEWS = ("title", "lead", "prose", "code", "compound", "paste", "fault")
_TYPES = frozenset(("class", "interface", "impl", "struct"))


@dataclass(frozen=True, slots=True)
class TaskNames:
    """Names in a task, in lower case; (line, function) of its traceback frames by file; and the best score by view."""

    names: frozenset[str]
    frames: Mapping[int, tuple[tuple[int, str], ...]]
    most: Mapping[str, float]


def task_names(evidence: Evidence) -> TaskNames:
    """The names of the task, for ``unit_chances``."""
    title = (word.lower() for word in evidence.reading.title.split() if len(word) > 3)
    frames: dict[int, tuple[tuple[int, str], ...]] = {}
    for place in evidence.reading.mentions.frames:
        for number in fitting(evidence, place.path)[0][:2]:
            frames[number] = (*frames.get(number, ()), (place.line, place.name.rpartition(".")[2]))
    most = {view: max(evidence.units[view].values(), default=0.0) or 1.0 for view in _VIEWS}
    return TaskNames(frozenset((*title, *(name.lower() for name in names_in_task(evidence)))), frames, most)


def unit_chances(
    evidence: Evidence, names: TaskNames, number: int, lines: Sequence[int], weights: Mapping[str, float]
) -> list[float]:
    """The chance that each unit of a file is changed; the sum is 1. ``lines`` is the number of lines of each unit."""
    unit_odds = [
        sum(weights.get(name, 0.0) * value for name, value in unit.items())
        for unit in features(evidence, names, number, lines)
    ]
    most = max(unit_odds, default=0.0)
    powers = [math.exp(log_odds - most) for log_odds in unit_odds]
    total = sum(powers) or 1.0
    return [power / total for power in powers]


def features(evidence: Evidence, task: TaskNames, number: int, lines: Sequence[int]) -> list[dict[str, float]]:
    """The features of each unit of a file, by name; ``lines`` is the number of lines of each unit.

    For each view such as ``title``: ``title`` is the unit's score as a share of the best unit of all files,
    ``title_here`` of this file's best, and ``title_near`` is the same for the better of the two neighbours.
    """
    details = evidence.details[number]
    features = [traits(details, unit, lines[unit], task, number) for unit in range(len(details.units))]
    keys = [number << UNIT_BITS | unit for unit in range(len(features))]
    beside = _beside(details)
    for view in _VIEWS:
        scores, names = evidence.units[view], evidence.unit_names.get(view, {})
        scores_of_units = [scores.get(key, 0.0) + names.get(key, 0.0) for key in keys]
        best = max(scores_of_units, default=0.0)
        if best <= 0.0:
            continue
        for unit, score in enumerate(scores_of_units):
            best_neighbour = max((scores_of_units[other] for other in beside[unit]), default=0.0)
            if score > 0.0:
                features[unit] |= {view: score / task.most[view], f"{view}_here": score / best}
            if best_neighbour > 0.0:
                features[unit][f"{view}_near"] = best_neighbour / best
    return features


def _beside(details: Details) -> list[list[int]]:
    """For each unit, the units right before and after it in the file."""
    order = sorted(range(len(details.units)), key=lambda unit: (details.units[unit].first, -details.units[unit].last))
    neighbours: list[list[int]] = [[] for _ in order]
    for before, after in pairwise(order):
        neighbours[before].append(after)
        neighbours[after].append(before)
    return neighbours


def traits(details: Details, unit: int, lines: int, task: TaskNames, number: int) -> dict[str, float]:
    """The features of a unit that do not depend on views: its size, its kind, whether the task names it."""
    unit_lines = details.units[unit]
    features = {"lines": math.log1p(lines)}
    if unit_lines.definition < 0:
        return features | {"window": 1.0, "header": float(unit_lines.first <= 5)}
    definition = details.definitions[unit_lines.definition]
    scope = definition.scope.rpartition(".")[2].lower()
    called = any(
        unit_lines.first <= line <= unit_lines.last or name == definition.name
        for line, name in task.frames.get(number, ())
    )
    return features | {
        "type": float(definition.kind in _TYPES),
        "named": float(definition.name.lower() in task.names),
        "scope_named": float(scope in task.names),
        "frame": float(called),
    }
