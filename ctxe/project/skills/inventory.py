"""Skills for the commands: listed with their token costs, shown, created and checked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ctxe.context.tokens import Count
from ctxe.domain.errors import ConfigError, CtxeError
from ctxe.knowledge.skills.catalogue import skill_line
from ctxe.knowledge.skills.page import full_page
from ctxe.knowledge.skills.skill import FILE, Skill, read_skill
from ctxe.project.skills.finder import finder, skill_named
from ctxe.project.skills.use import SessionSkills, skills
from ctxe.storage import files

if TYPE_CHECKING:
    from ctxe.domain.section import Section
    from ctxe.project import Project

LONG_BODY = 5_000
"""Tokens from which a body should be split into references: the open format's own advice."""
NEW = """---
name: {name}
description: "{description}"
---
# {title}

What holds here, in facts and conventions; no essays.
What is rarely needed goes to references/; name those files here.

## Commands

## Example
"""


def rows(project: Project) -> list[dict[str, Any]]:
    """Every skill in the order of its places, with the tokens of its line and its body (o200k_base)."""
    from ctxe.agent.state import State
    from ctxe.storage.vocabulary import count

    skilled = SessionSkills(project, State, (), None, finder(project))
    uses, always = skilled.uses(), project.config.skills.always
    return [
        {
            "name": skill.name,
            "origin": skill.origin,
            "where": skill.where,
            "description": skill.description,
            "state": _state(skill, always),
            "line_tokens": count(skill_line(skill)) if skill.offered and not skill.problem else 0,
            "tokens": 0 if skill.problem else count(full_page(skill)),
            "uses": int(uses.get(skill.name, 0)),
            "problem": skill.problem,
            "faults": list(skill.faults),
        }
        for skill in skilled.find()
    ]


def standing(project: Project, count: Count) -> list[Section]:
    """The sections of skills in every request: the list of skills, and those that settings always load."""
    from ctxe.agent.state import State
    from ctxe.domain.section import Task

    skilled = SessionSkills(project, State, project.config.skills.always, None, finder(project))
    return list(skills(project, skilled, count).offer(Task(), project.budget.room("skills")))


def listed(project: Project) -> dict[str, Any]:
    """Tokens of the skill list in every request, and what had to be shortened (``says``) or left out."""
    from ctxe.storage.vocabulary import count

    sections = standing(project, count)
    lists = [chunk for section in sections for chunk in section.chunks if chunk.id == "skills catalogue"]
    return {
        "tokens": sum(count(chunk.text) for chunk in lists),
        "says": lists[0].why.partition("; ")[2] if lists else "there is no list",
        "left_out": [out.id for section in sections for out in section.left_out],
    }


def _state(skill: Skill, always: tuple[str, ...]) -> str:
    if skill.problem:
        return "not used"
    if skill.name in always:
        return "always"
    return "listed" if skill.offered else "only by you"


def whole(project: Project, name: str) -> dict[str, Any]:
    """One skill with its text as a model gets it, and the tokens of each part. Raises ConfigError."""
    from ctxe.storage.vocabulary import count

    skill = skill_named(finder(project)(), name)
    text = full_page(skill)
    parts = [{"path": path, "tokens": count(_text(skill.folder / path))} for path in skill.files]
    return {
        "name": skill.name,
        "origin": skill.origin,
        "where": skill.where,
        "folder": str(skill.folder),
        "description": skill.description,
        "scope": list(skill.scope),
        "allowed_tools": list(skill.tools),
        "tokens": count(text),
        "line_tokens": count(skill_line(skill)),
        "files": parts,
        "tools": [f"{skill.name}/{path}" for path in skill.scripts],
        "faults": list(faults(skill, count(text))),
        "text": text,
    }


def _text(path: Path) -> str:
    data = files.read(path, 1_000_000)
    return "" if b"\0" in data else data.decode("utf-8", "replace")


def create(project: Project, name: str, description: str = "", *, own: bool = False) -> Path:
    """Create a skill with headings; returns its file. Raises ConfigError for a bad or taken name, StoreError."""
    if not re.fullmatch(r"[a-z0-9]+(?:-[a-z0-9]+)*", name) or len(name) > 64:
        raise ConfigError(f"{name!r} is not a name for a skill", "lower-case words joined by hyphens: release-notes")
    folder = (project.place.user if own else project.place.memory) / "skills" / name
    if folder.exists():
        raise ConfigError(f"{folder} is there already", "edit it, or choose another name")
    if not own:
        project.store.prepare()
    summary = " ".join(description.split()).replace("\\", "").replace('"', "'")
    text = NEW.format(name=name, description=summary, title=name.replace("-", " ").capitalize())
    files.make_folder(folder)
    files.replace(folder / FILE, text.encode())
    return folder / FILE


def checked(project: Project, name: str = "") -> list[dict[str, Any]]:
    """Problems of one skill (by name or folder), or of all but the shipped ones. Raises CtxeError."""
    from ctxe.storage.vocabulary import count

    folder = project.place.working / name if name else Path()
    if name and (folder / FILE).is_file():
        found: tuple[Skill, ...] = (read_skill(folder.resolve(), name, "project"),)
    elif name:
        found = tuple(skill for skill in finder(project)() if name in (skill.name, skill.where))
        if not found:
            raise CtxeError(f"there is no skill {name!r}", "`ctxe skills list` shows them; a folder does as well")
    else:
        found = tuple(skill for skill in finder(project)() if skill.origin != "shipped")
    return [
        {"name": one.name, "where": one.where, "problem": one.problem, "faults": list(faults(one, _tokens(one, count)))}
        for one in found
    ]


def _tokens(skill: Skill, count: Any) -> int:
    return 0 if skill.problem else int(count(full_page(skill)))


def faults(skill: Skill, tokens: int) -> Iterator[str]:
    """One line per problem: its form, tools that it asks for without effect, missing files that it names."""
    yield from skill.faults
    if skill.tools:
        asked = ", ".join(skill.tools[:6])
        yield f"allowed-tools ({asked}) gives no permission: allow it yourself with [approval] allow, or be asked"
    if tokens > LONG_BODY:
        yield f"its text has {tokens:,} tokens; above {LONG_BODY:,}, move parts to references/"
    for path in dict.fromkeys(re.findall(r"(?:scripts|references|assets)/[\w./-]*\w", skill.body)):
        if path not in skill.files and not (skill.folder / path).is_dir():
            yield f"it names {path}, which is not there"
