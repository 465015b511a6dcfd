"""Completes a path that the user types after ``@``."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ctxe.project import Project

MOST = 30


def paths(project: Project, begun: str) -> list[str]:
    """Up to MOST files that contain what was typed: paths that begin with it first, then file names, then the rest."""
    from ctxe.repo.files import list_files

    every = [listed.path for listed in list_files(project.git)]
    typed = begun.lower()

    def rank(path: str) -> int:
        lower = path.lower()
        name = lower.rpartition("/")[2]
        return 0 if lower.startswith(typed) else 1 if name.startswith(typed) else 2

    found = [path for path in every if typed in path.lower()]
    return sorted(found, key=lambda path: (rank(path), path.count("/"), path))[:MOST]
