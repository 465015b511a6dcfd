"""The domain modules that stand in a session's requests: the list of them within its room, and the loaded ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ctxe.context.tokens import Count
    from ctxe.knowledge.skills.source import Skills
    from ctxe.project import Project
    from ctxe.project.skills.use import Skilled

CATALOGUE = 1_500
"""Tokens that the list of domain modules may take at most."""


def skills(project: Project, skilled: Skilled, count: Count) -> Skills:
    """Domain modules: the list of them, and those that are loaded."""
    from ctxe.knowledge.skills.source import Skills

    settings = project.config.skills
    room = min(CATALOGUE, int(settings.share * project.budget.window)) if skilled.listed else 0
    return Skills(
        skilled.find,
        count,
        room,
        skilled.always,
        skilled.held,
        skilled.uses,
        settings.matching,
        skilled.matcher,
        lambda: _files(project),
    )


def _files(project: Project) -> list[str]:
    """The project's files; asked for only where a module is about to be loaded unasked."""
    from ctxe.repo.files import list_columns

    return list_columns(project.git).paths
