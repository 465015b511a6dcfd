"""The index of this project: opened, brought up to date, looked at."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ctxe.project import Project
    from ctxe.repo.indexing.index import Index

Advance = Callable[[int, str], None]
"""Told how many files were read, and of how many."""


def index(project: Project, advance: Advance | None = None) -> Index:
    """The index of this project, brought up to date; it may take seconds the first time in a large tree."""
    found = opened(project)
    found.refresh(told(advance))
    return found


def opened(project: Project) -> Index:
    """The index of this project as it was left."""
    from ctxe.repo.git import Git
    from ctxe.repo.indexing.index import Index

    return Index(project.root, Git(project.root, project.environment), project.cache / "index.db")


def told(advance: Advance | None) -> Callable[[int, int], None] | None:
    """What an index tells its progress to."""
    return None if advance is None else lambda done, todo: advance(done, f"of {todo:,} files")


def status(project: Project) -> dict[str, Any]:
    """How the index stands, without changing it."""
    return opened(project).status()
