"""Estimating where in a file a change is made: a chance for each unit, learnt from lines that past fixes touched."""

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
    evidence: Evidence, said: TaskNames, number: int, lines: Sequence[int], weights: Mapping[str, float]
) -> list[float]:
    """The chance that each unit of a file is changed; the sum is 1. ``lines`` is the number of lines of each unit."""
    odds = [
        sum(weights.get(name, 0.0) * value for name, value in unit.items())
        for unit in features(evidence, said, number, lines)
    ]
    most = max(odds, default=0.0)
    powers = [math.exp(one - most) for one in odds]
    total = sum(powers) or 1.0
    return [power / total for power in powers]


def features(evidence: Evidence, said: TaskNames, number: int, lines: Sequence[int]) -> list[dict[str, float]]:
    """The features of each unit of a file, by name; ``lines`` is the number of lines of each unit.

    For each view such as ``title``: ``title`` is the unit's score as a share of the best unit of all files,
    ``title_here`` of this file's best, and ``title_near`` is the same for the better of the two neighbours.
    """
    inside = evidence.details[number]
    found = [traits(inside, unit, lines[unit], said, number) for unit in range(len(inside.units))]
    keys = [number << UNIT_BITS | unit for unit in range(len(found))]
    beside = _beside(inside)
    for view in _VIEWS:
        scores, names = evidence.units[view], evidence.unit_names.get(view, {})
        own = [scores.get(key, 0.0) + names.get(key, 0.0) for key in keys]
        best = max(own, default=0.0)
        if best <= 0.0:
            continue
        for unit, score in enumerate(own):
            near = max((own[other] for other in beside[unit]), default=0.0)
            if score > 0.0:
                found[unit] |= {view: score / said.most[view], f"{view}_here": score / best}
            if near > 0.0:
                found[unit][f"{view}_near"] = near / best
    return found


def _beside(inside: Details) -> list[list[int]]:
    """For each unit, the units right before and after it in the file."""
    order = sorted(range(len(inside.units)), key=lambda unit: (inside.units[unit].first, -inside.units[unit].last))
    found: list[list[int]] = [[] for _ in order]
    for one, other in pairwise(order):
        found[one].append(other)
        found[other].append(one)
    return found


def traits(inside: Details, unit: int, lines: int, said: TaskNames, number: int) -> dict[str, float]:
    """The features of a unit that do not depend on views: its size, its kind, whether the task names it."""
    cut = inside.units[unit]
    found = {"lines": math.log1p(lines)}
    if cut.definition < 0:
        return found | {"window": 1.0, "header": float(cut.first <= 5)}
    definition = inside.definitions[cut.definition]
    scope = definition.scope.rpartition(".")[2].lower()
    called = any(cut.first <= line <= cut.last or name == definition.name for line, name in said.frames.get(number, ()))
    return found | {
        "type": float(definition.kind in _TYPES),
        "named": float(definition.name.lower() in said.names),
        "scope_named": float(scope in said.names),
        "frame": float(called),
    }
