"""Skills in a session: which are loaded, which every request holds, and how the model loads and uses them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ctxe.agent.state import State
from ctxe.domain.errors import ConfigError, StoreError, ToolError
from ctxe.domain.section import Task
from ctxe.domain.tool import Action, Risk, Tool, ToolOutput, without_progress
from ctxe.domain.value import dataclass, field
from ctxe.knowledge.skills.catalogue import skill_line
from ctxe.knowledge.skills.finding import SkillFinder
from ctxe.knowledge.skills.matching import Matcher
from ctxe.knowledge.skills.page import PREFIX, full_page
from ctxe.knowledge.skills.skill import FILE, RUNNERS, Skill
from ctxe.knowledge.skills.source import HeldSkills, Skills
from ctxe.project.skills.finder import skill_named
from ctxe.project.skills.loaded import held_skills
from ctxe.safety.secrets import is_secret_file
from ctxe.storage import files as disk
from ctxe.storage.vocabulary import count

if TYPE_CHECKING:
    from ctxe.context.tokens import Count
    from ctxe.project import Project

MOST_FOUND = 8
CATALOGUE = 1_500
"""Most tokens of the skill list."""
MOST_READ = 400_000
"""Most bytes of a skill's file that the model may read at once."""


@dataclass(slots=True)
class SessionSkills:
    """A session's skills. Every request holds those in ``always``; ``shell`` is the tool that runs scripts.

    ``listed`` is False when the model is not offered ``use``: it could not load what the list names.
    """

    project: Project
    state: Callable[[], State]
    always: tuple[str, ...]
    shell: Tool | None
    find: SkillFinder
    listed: bool = True
    matcher: Matcher = field(default_factory=Matcher)

    def held(self) -> HeldSkills:
        """The skills that this session has loaded so far."""
        scopes = {skill.name: skill.scope for skill in self.find.known() if not skill.problem}
        found = held_skills(self.state(), scopes)
        return HeldSkills(frozenset(found.visible & scopes.keys()), found.in_use)  # `use` also reaches servers

    def uses(self) -> dict[str, float]:
        """How often each skill was loaded in this project, by name."""
        numbers = self.project.counters.read()
        return {key[len(PREFIX) :]: kept.get("used", 0.0) for key, kept in numbers.items() if key.startswith(PREFIX)}

    def count_use(self, name: str) -> None:
        """Count that a skill was loaded."""
        self.project.counters.bump(PREFIX + name, time.time(), used=1)

    def found(self, query: str) -> str:
        """Lines of skills and their tools that match the words, best first; all of them without words."""
        offered = [skill for skill in self.find.usable() if skill.offered]
        if query:
            offered = [one.skill for one in self.matcher(Task(query), offered)][:MOST_FOUND]
        return "\n".join(row for skill in offered for row in _rows(skill))

    def prepare(self, name: str, arguments: Mapping[str, Any]) -> Action:
        """The action of ``use`` for a name: load a skill, read its file or run its script. Raises ToolError."""
        head, _, path = name.partition("/")
        try:
            skill = skill_named(self.find(), head)
        except ConfigError as error:
            raise ToolError(f"{error.message}; find_tools lists what there is") from None
        if not skill.offered and skill.name not in self.held().visible:
            raise ToolError(f"only the user loads {skill.name}")
        if not path:
            title = f"load skill {skill.name} ({count(skill.body):,} tokens)"
            return Action("use", title, Risk.READ, without_progress(partial(self._loaded, skill)))
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
        self.count_use(skill.name)
        return ToolOutput(full_page(skill), kind="read")

    def _script(self, skill: Skill, path: str, arguments: Mapping[str, Any]) -> Action:
        """The command that runs a script; it needs approval and runs like any command. Raises ToolError."""
        loaded = self.held()
        if skill.name not in loaded.visible and skill.name not in loaded.in_use and skill.name not in self.always:
            raise ToolError(f"load {skill.name} first: use with name {skill.name}")
        if self.shell is None:
            raise ToolError("run_command is not offered in this session, so scripts cannot run")
        unknown = arguments.keys() - {"args"}
        args = arguments.get("args", [])
        if unknown or not (isinstance(args, list) and all(isinstance(one, str | int | float) for one in args)):
            raise ToolError(f'{skill.name}/{path} takes {{"args": [string, …]}}')
        file = f"{skill.where}/{path}" if skill.origin == "project" else str(skill.folder / path)
        import shlex

        return self.shell.prepare({"command": shlex.join([RUNNERS[Path(path).suffix], file, *map(str, args)])})


def skills(project: Project, skilled: SessionSkills, count: Count) -> Skills:
    """The source of skills: their list, and those that are loaded."""
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
    """The project's files; listed only when a skill may be loaded automatically."""
    from ctxe.repo.files import list_columns

    return list_columns(project.git).paths


def _rows(skill: Skill) -> Iterator[str]:
    yield skill_line(skill)
    yield from (f"  tool {skill.name}/{path}" for path in skill.scripts)


def _reading(skill: Skill, path: str) -> Action:
    """The action that reads a file of a skill; secret and binary files raise ToolError."""
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

    return Action("use", f"read {file}", Risk.READ, without_progress(run))
