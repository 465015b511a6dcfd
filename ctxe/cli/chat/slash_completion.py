"""Completes the first word after the name of a slash command: paths, names, modes, models, options."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, get_args

from ctxe.config.values import Approval
from ctxe.project.models import model_ids
from ctxe.project.planning.completion import paths
from ctxe.project.sessions import newest_first
from ctxe.project.skills.finder import usable

if TYPE_CHECKING:
    from ctxe.project import Project


def arguments(project: Project, name: str, begun: str) -> list[str]:
    """Completions for the first word after a command's name."""
    complete = COMPLETIONS.get(name.removeprefix("/"))
    return complete(project, begun) if complete else []


def _skills(project: Project, begun: str) -> list[str]:
    return [skill for skill in usable(project) if skill.startswith(begun) and skill != begun]


def _efforts(project: Project, begun: str) -> list[str]:
    return [level for level in (*project.model.efforts, "default") if level.startswith(begun)]


def _models(_project: Project, begun: str) -> list[str]:
    return [model for model in model_ids() if begun in model]


def _settings(_project: Project, begun: str) -> list[str]:
    from ctxe.config.keys import all_settings

    return [key for key in all_settings() if begun in key]


def _servers(project: Project, begun: str) -> list[str]:
    return [one for one in ("restart", "approve", "login", "logout", *project.config.mcp) if one.startswith(begun)]


def _sessions(project: Project, begun: str) -> list[str]:
    return [path.stem for path in newest_first(project.place.sessions) if path.stem.startswith(begun)]


def _one_of(*words: str) -> Callable[[Project, str], list[str]]:
    return lambda _, begun: [word for word in words if word.startswith(begun)]


COMPLETIONS: dict[str, Callable[[Project, str], list[str]]] = {
    "add": paths,
    "read-only": paths,
    "drop": paths,
    "skill": _skills,
    "approve": _one_of(*get_args(Approval)),
    "model": _models,
    "effort": _efforts,
    "config": _settings,
    "mcp": _servers,
    "resume": _sessions,
    "copy": _one_of("code"),
    "compact": _one_of("--preview"),
    "context": _one_of("--explain"),
    "inspect": _one_of("--open"),
    "undo": _one_of("--force"),
    "redo": _one_of("--force"),
    "jobs": _one_of("show", "stop"),
    "memory": _one_of("show", "add", "edit", "forget", "undo", "search", "review", "import", "export", "stats"),
    "decisions": _one_of("list", "show", "add", "supersede"),
    "failures": _one_of("list", "show", "add", "resolve", "match", "forget", "stats"),
    "sessions": _one_of("list", "show", "inspect", "diff", "export"),
    "skills": _one_of("list", "show", "new", "check"),
}
"""How the first word of each command is completed; commands that are missing take nothing that is known."""
