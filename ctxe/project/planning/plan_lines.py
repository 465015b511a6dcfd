"""A plan as lines that a model goes by: paths, the lines that matter and why, without their text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ctxe.project.planning.indexing import index
from ctxe.project.planning.plan import Planned, made
from ctxe.repo.planning.steering import Steering

if TYPE_CHECKING:
    from ctxe.project import Project
    from ctxe.project.purse import Purse

ROOM, MOST = 12_000, 15
"""Tokens of text that lines are chosen for, and files that are named."""
SHOWN, WHY = 6, 2
"""Ranges of lines and reasons that are told of a file."""


def found(project: Project, task: str, purse: Purse) -> str:
    """The files that bear on a task, a line each, best first. Raises StoreError."""
    planned = made(project, index(project), task, ROOM, Steering(), purse)
    return "\n".join(_line(file) for file in planned.files[:MOST])


def _line(file: Planned) -> str:
    parts = [f"{first}-{last}" for first, last in file.ranges]
    lines = ",".join([*parts[:SHOWN], *(["…"] if len(parts) > SHOWN else [])])
    why = " · ".join(reason.detail for reason in file.reasons[:WHY])
    return f"{file.path}{':' if lines else ''}{lines}  {why}".rstrip()
