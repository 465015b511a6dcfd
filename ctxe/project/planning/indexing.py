"""Opens and refreshes the index of this project, and tells its status."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ctxe.domain.errors import StoreError

if TYPE_CHECKING:
    from ctxe.project import Project
    from ctxe.repo.indexing.index import Index

Advance = Callable[[int, str, int], None]
"""A progress callback: how many are done, of what, and of how many (0: unknown)."""


def index(project: Project, advance: Advance | None = None) -> Index:
    """The refreshed index of this project; the first build of a large tree may take seconds."""
    from ctxe.repo.indexing.repair import refresh_with_repair

    found = opened(project)
    refresh_with_repair(found, file_progress(advance))
    return found


def opened(project: Project) -> Index:
    """The index of this project, not refreshed."""
    from ctxe.repo.indexing.index import Index

    return Index(project.root, project.git, project.cache / "index.db")


def file_progress(advance: Advance | None) -> Callable[[int, int], None] | None:
    """The callback that an index calls with its progress; None when nobody listens."""
    return None if advance is None else lambda done, todo: advance(done, "files", todo)


def status(project: Project) -> dict[str, Any]:
    """The status of the index, which is not changed. Raises StoreError when it is damaged."""
    from ctxe.repo.indexing.repair import DAMAGE

    try:
        return opened(project).status()
    except DAMAGE as error:
        raise StoreError("the index is damaged", "`ctxe index` makes it anew") from error
