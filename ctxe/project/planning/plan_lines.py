"""A plan as lines for a model: paths, line numbers and reasons, without the text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ctxe.project.planning.indexing import index
from ctxe.project.planning.plan import Planned, made
from ctxe.repo.planning.steering import Steering

if TYPE_CHECKING:
    from ctxe.project import Project
    from ctxe.project.allowance import Allowance

ROOM, MOST = 12_000, 15
"""Token budget of the plan, and the most files to list."""
SHOWN, WHY = 6, 2
"""Most line ranges and reasons to list per file."""


def plan_lines(project: Project, task: str, allowance: Allowance) -> str:
    """The files for a task, one line each, best first. Raises StoreError."""
    planned = made(project, index(project), task, ROOM, Steering(), allowance)
    return "\n".join(_line(file) for file in planned.files[:MOST])


def _line(file: Planned) -> str:
    parts = [f"{first}-{last}" for first, last in file.ranges]
    lines = ",".join([*parts[:SHOWN], *(["…"] if len(parts) > SHOWN else [])])
    why = " · ".join(reason.detail for reason in file.reasons[:WHY])
    return f"{file.path}{':' if lines else ''}{lines}  {why}".rstrip()
