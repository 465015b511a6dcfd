"""Finds the prompt templates of a project and of its user."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from ctxe.data import FOLDER
from ctxe.knowledge.rules.templates import Template, TemplatePlaces, find_templates
from ctxe.project.place import home_of

if TYPE_CHECKING:
    from ctxe.project import Project


def template(project: Project, name: str, taken: Collection[str] = ()) -> Template | None:
    """The usable template of this name, or None."""
    return next((one for one in templates(project, taken) if one.name == name and not one.problem), None)


def templates(project: Project, taken: Collection[str] = ()) -> tuple[Template, ...]:
    """Every template here; ``taken`` holds the names of ctxe's own commands."""
    from ctxe.project.planning.ignored import readable

    place = project.place
    own = (place.user / "commands", home_of(project.environment) / ".claude/commands")
    places = TemplatePlaces(place.root, place.working, own, readable(project), FOLDER / "commands")
    return find_templates(places, taken)
