"""Where a project's skills come from: the project, the user, ctxe itself, and rule files read on demand."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ctxe.data import FOLDER
from ctxe.domain.errors import ConfigError
from ctxe.domain.suggestion import did_you_mean
from ctxe.knowledge.skills.finding import SkillFinder, SkillPlaces
from ctxe.knowledge.skills.skill import Skill
from ctxe.project.place import home_of
from ctxe.project.planning.ignored import readable

if TYPE_CHECKING:
    from ctxe.project import Project


def finder(project: Project) -> SkillFinder:
    """A finder for the skills of the project, the user and ctxe."""
    settings, place = project.config.skills, project.place
    home = home_of(project.environment)
    own = [home / folder[2:] if folder.startswith("~/") else Path(folder) for folder in settings.folders]
    return SkillFinder(
        SkillPlaces(
            place.root,
            place.working,
            (place.user / "skills", *(folder for folder in own if folder.is_absolute())),
            FOLDER / "skills",
            settings.never,
            readable(project),
            lambda: _rules_to_ask_for(project),
        )
    )


def usable(project: Project) -> list[str]:
    """Names of the skills that can be used here."""
    return [skill.name for skill in finder(project).usable()]


def _rules_to_ask_for(project: Project) -> list[Skill]:
    """Rules of Cursor and Windsurf that have a description and no scope, as skills of one file."""
    from ctxe.knowledge.rules.rulefiles import RulePlaces, rules_on_demand

    place = project.place
    found = rules_on_demand(RulePlaces(place.root, place.working, readable=readable(project)))
    return [
        Skill(Path(rule.path).stem, rule.summary, place.root / rule.path, rule.path, "project", rule.text)
        for rule in found
    ]


def skill_named(skills: tuple[Skill, ...], name: str) -> Skill:
    """The usable skill of this name. Raises ConfigError with the nearest name, or why the skill cannot be used."""
    for skill in sorted(skills, key=lambda one: bool(one.problem)):
        if name in (skill.name, skill.where):
            if skill.problem:
                raise ConfigError(f"skill {name} cannot be used: {skill.problem}", f"see {skill.where}")
            return skill
    meant = did_you_mean(name, (skill.name for skill in skills))
    raise ConfigError(f"there is no skill {name!r}", meant or "`ctxe skills list` shows them")
