"""Domain modules of a project: where they are, what a session holds of them, and how the model loads and uses them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ctxe.agent.state import State
from ctxe.data import FOLDER
from ctxe.domain.errors import ConfigError, StoreError, ToolError
from ctxe.domain.section import Task
from ctxe.domain.tool import Action, Risk, Tool, ToolOutput, once
from ctxe.domain.value import dataclass, field
from ctxe.knowledge.skills.catalogue import line
from ctxe.knowledge.skills.finding import Finder, ModulePlaces
from ctxe.knowledge.skills.matching import Matcher
from ctxe.knowledge.skills.module import FILE, RUNNERS, Skill
from ctxe.knowledge.skills.page import PREFIX, page
from ctxe.knowledge.skills.source import HeldSkills
from ctxe.project.place import home_of
from ctxe.project.skills.loaded import held
from ctxe.safety.secrets import is_secret_file
from ctxe.storage import files as disk
from ctxe.storage.vocabulary import count

if TYPE_CHECKING:
    from ctxe.project import Project

MOST_FOUND = 8
MOST_READ = 400_000
"""Bytes of a module's file that the model may read at once."""


def finder(project: Project) -> Finder:
    """What finds the modules of a project, the user's and ours."""
    from ctxe.project.planning.ignored import readable

    settings, place = project.config.skills, project.place
    home = home_of(project.environment)
    own = [home / folder[2:] if folder.startswith("~/") else Path(folder) for folder in settings.folders]
    shipped = FOLDER / "skills"
    return Finder(
        ModulePlaces(
            place.root,
            place.working,
            (place.user / "skills", *(folder for folder in own if folder.is_absolute())),
            shipped,
            settings.never,
            readable(project),
            lambda: _rules_to_ask_for(project),
        )
    )


def usable(project: Project) -> list[str]:
    """Names of the modules that can be used here."""
    return [skill.name for skill in finder(project).usable()]


def _rules_to_ask_for(project: Project) -> list[Skill]:
    """Rules of Cursor and Windsurf that have a description and no scope, as modules of one file."""
    from ctxe.knowledge.rules.rulefiles import RulePlaces, asked_for
    from ctxe.project.planning.ignored import readable

    place = project.place
    found = asked_for(RulePlaces(place.root, place.working, readable=readable(project)))
    return [
        Skill(Path(rule.path).stem, rule.summary, place.root / rule.path, rule.path, "project", rule.text)
        for rule in found
    ]


def named(skills: tuple[Skill, ...], name: str) -> Skill:
    """The usable module of this name. Raises ConfigError with the nearest one, or why it cannot be used."""
    for skill in sorted(skills, key=lambda one: bool(one.problem)):
        if name in (skill.name, skill.where):
            if skill.problem:
                raise ConfigError(f"skill {name} cannot be used: {skill.problem}", f"see {skill.where}")
            return skill
    import difflib

    close = difflib.get_close_matches(name, [skill.name for skill in skills], n=1)
    raise ConfigError(
        f"there is no skill {name!r}", f"did you mean {close[0]}?" if close else "`ctxe skills list` shows them"
    )


@dataclass(slots=True)
class Skilled:
    """A session's modules. ``always`` stand in every request; ``shell`` is the tool through which scripts run.

    ``listed`` is False where the model is not offered ``use``: a list of what it cannot load would be for nothing.
    """

    project: Project
    state: Callable[[], State]
    always: tuple[str, ...]
    shell: Tool | None
    find: Finder
    listed: bool = True
    matcher: Matcher = field(default_factory=Matcher)

    def held(self) -> HeldSkills:
        """What this session holds of modules by now."""
        scopes = {skill.name: skill.scope for skill in self.find.known() if not skill.problem}
        found = held(self.state(), scopes)
        return HeldSkills(frozenset(found.visible & scopes.keys()), found.in_use)  # the same call reaches servers

    def uses(self) -> dict[str, float]:
        """How often each module was asked for in this project."""
        numbers = self.project.counters.read()
        return {key[len(PREFIX) :]: kept.get("used", 0.0) for key, kept in numbers.items() if key.startswith(PREFIX)}

    def used(self, name: str) -> None:
        """Remember that a module was asked for."""
        self.project.counters.bump(PREFIX + name, time.time(), used=1)

    def found(self, query: str) -> str:
        """Modules and tools for words, best first; all of them without words."""
        offered = [skill for skill in self.find.usable() if skill.offered]
        if query:
            offered = [one.skill for one in self.matcher(Task(query), offered)][:MOST_FOUND]
        return "\n".join(row for skill in offered for row in _rows(skill))

    def prepare(self, name: str, arguments: Mapping[str, Any]) -> Action:
        """What ``use`` does for a name: load a module, read its file or run its script. Raises ToolError."""
        head, _, path = name.partition("/")
        try:
            skill = named(self.find(), head)
        except ConfigError as error:
            raise ToolError(f"{error.message}; find_tools lists what there is") from None
        if not skill.offered and skill.name not in self.held().visible:
            raise ToolError(f"only the user loads {skill.name}")
        if not path:
            title = f"load skill {skill.name} ({count(skill.body):,} tokens)"
            return Action("use", title, Risk.READ, once(partial(self._loaded, skill)))
        if path in skill.scripts:
            return self._script(skill, path, arguments)
        if path == FILE or path in skill.references:
            return _reading(skill, path)
        known = ", ".join((*skill.scripts, *skill.references)) or "none"
        raise ToolError(f"{skill.name} has no file {path}; its files: {known[:1000]}")

    def _loaded(self, skill: Skill) -> ToolOutput:
        if skill.name in self.held().visible:
            return ToolOutput(
                f"{skill.name} is loaded already, its text stands above; {skill.name}/{FILE} reads it again"
            )
        self.used(skill.name)
        return ToolOutput(page(skill, 1 << 30, len), kind="read")

    def _script(self, skill: Skill, path: str, arguments: Mapping[str, Any]) -> Action:
        """The command that runs a script, decided and run as any command is."""
        here = self.held()
        if skill.name not in here.visible and skill.name not in here.in_use and skill.name not in self.always:
            raise ToolError(f"load {skill.name} first: use with name {skill.name}")
        if self.shell is None:
            raise ToolError("run_command is not offered in this session, so scripts cannot run")
        wrong = arguments.keys() - {"args"}
        args = arguments.get("args", [])
        if wrong or not (isinstance(args, list) and all(isinstance(one, str | int | float) for one in args)):
            raise ToolError(f'{skill.name}/{path} takes {{"args": [string, …]}}')
        file = f"{skill.where}/{path}" if skill.origin == "project" else str(skill.folder / path)
        import shlex

        return self.shell.prepare({"command": shlex.join([RUNNERS[Path(path).suffix], file, *map(str, args)])})


def _rows(skill: Skill) -> Iterator[str]:
    yield line(skill)
    yield from (f"  tool {skill.name}/{path}" for path in skill.scripts)


def _reading(skill: Skill, path: str) -> Action:
    file = f"{skill.where}/{path}"

    def run() -> ToolOutput:
        if is_secret_file(path):
            raise ToolError(f"{path} may hold keys and passwords")
        try:
            data = disk.read(skill.folder if skill.folder.is_file() else skill.folder / path, MOST_READ)
        except StoreError as error:
            raise ToolError(error.message) from None
        if b"\0" in data:
            raise ToolError(f"{path} is binary: {skill.folder / path}")
        return ToolOutput(data.decode("utf-8", "replace"), kind="read")

    return Action("use", f"read {file}", Risk.READ, once(run))
