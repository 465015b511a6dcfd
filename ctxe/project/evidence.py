"""What of the work tree memories may lean on: the facts by which their evidence is checked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ctxe.knowledge.evidence import Facts

if TYPE_CHECKING:
    from ctxe.project import Project


def facts_of(project: Project) -> Facts:
    """What stands in the work tree, for checking evidence; each path is looked at once."""
    known: dict[str, bool] = {}

    def exists(path: str) -> bool:
        if path not in known:
            known[path] = (project.root / path).exists()
        return known[path]

    return Facts(file=exists)
