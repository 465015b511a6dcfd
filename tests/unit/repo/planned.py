"""Makes plans for tests that do not examine the ranking."""

from __future__ import annotations

import time
from collections.abc import Callable

from ctxe.repo.indexing.index import Index
from ctxe.repo.planning import planner
from ctxe.repo.planning.evidence import Scores
from ctxe.repo.planning.planner import Plan
from ctxe.repo.planning.steering import UNSTEERED, Steering


def plan(
    index: Index,
    task: str,
    budget: int,
    steering: Steering = UNSTEERED,
    meaning: Scores | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> Plan:
    """The plan without its ranking."""
    return planner.plan(index, task, budget, steering, meaning=meaning, clock=clock)[0]
