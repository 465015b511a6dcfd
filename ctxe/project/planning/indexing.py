"""The index of this project: opened, brought up to date, looked at."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ctxe.domain.errors import StoreError

if TYPE_CHECKING:
    from ctxe.project import Project
    from ctxe.repo.indexing.index import Index

Advance = Callable[[int, str, int], None]
"""Told how many, of what, and of how many in all (0: nobody knows)."""


def index(project: Project, advance: Advance | None = None) -> Index:
    """The index of this project, brought up to date; it may take seconds the first time in a large tree."""
    from ctxe.repo.indexing.repair import refreshed

    found = opened(project)
    refreshed(found, told(advance))
    return found


def opened(project: Project) -> Index:
    """The index of this project as it was left."""
    from ctxe.repo.indexing.index import Index

    return Index(project.root, project.git, project.cache / "index.db")


def told(advance: Advance | None) -> Callable[[int, int], None] | None:
    """What an index tells its progress to."""
    return None if advance is None else lambda done, todo: advance(done, "files", todo)


def status(project: Project) -> dict[str, Any]:
    """How the index stands, without changing it. Raises StoreError when it is damaged."""
    from ctxe.repo.indexing.repair import DAMAGE

    try:
        return opened(project).status()
    except DAMAGE as error:
        raise StoreError("the index is damaged", "`ctxe index` makes it anew") from error
