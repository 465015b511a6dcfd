"""The sources of a session, and everything else that is offered to the model."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ctxe.data import read_text
from ctxe.domain.section import Chunk, Priority, Section, ShareName, Source, Task
from ctxe.project.compose import Offers, rules_section
from ctxe.project.evidence import facts_of
from ctxe.project.ignored import readable
from ctxe.project.mentions import named_files
from ctxe.project.planning import Chosen, Planning

if TYPE_CHECKING:
    from ctxe.agent.state import State
    from ctxe.knowledge.instructions import Instructions
    from ctxe.knowledge.memory import Memory
    from ctxe.knowledge.skills.source import Skills
    from ctxe.project import Project
    from ctxe.project.kit import Kit
    from ctxe.project.skilled import Skilled

Count = Callable[[str], int]
MOST_TOLD = 8
"""Lines about rules and memory at the start of a session."""
CATALOGUE = 1_500
"""Tokens that the list of domain modules may take at most."""
MOST_README = 200_000
"""Bytes of a README that rules are compared with."""


def offers(project: Project, kit: Kit, count: Count, chosen: Chosen) -> Offers:
    """What stands and what is asked for in a session of this project."""
    return Offers(
        rules=rules_section(read_text("rules.md")),
        schemas=kit.schemas,
        sources=(*_sources(project, kit, count), ("files", Planning(project, chosen, kit))),
        named=lambda paths, room: named_files(paths, room, kit.show, count),
        surroundings=lambda: surroundings(project),
        clean=kit.clean,
    )


def _sources(project: Project, kit: Kit, count: Count) -> list[tuple[ShareName, Source]]:
    found: list[tuple[ShareName, Source]] = [
        ("instructions", instructions(project, count)),
        ("skills", skills(project, kit.skills, count)),
    ]
    if project.config.memory.enabled:
        found.append(("memory", memory(project, count)))
    return found


def instructions(project: Project, count: Count) -> Instructions:
    """AGENTS.md and its kin."""
    from ctxe.knowledge.instructions import Instructions
    from ctxe.knowledge.rulefiles import Places

    place, read = project.place, project.config.instructions.read
    return Instructions(Places(place.root, place.working, place.user, read, readable(project)), count)


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
    )


def price_of_rules(project: Project, count: Count) -> tuple[str, ...]:
    """What instruction files cost for nothing, a line each: repeats of the README, scopes without a file."""
    from ctxe.domain.errors import StoreError
    from ctxe.repo.files import list_files
    from ctxe.repo.git import Git
    from ctxe.storage import files as disk

    readme = next((path for path in project.root.glob("[Rr][Ee][Aa][Dd][Mm][Ee]*") if path.is_file()), None)
    words = ""
    if readme:
        with contextlib.suppress(StoreError):
            words = disk.read(readme, MOST_README).decode("utf-8", "replace")
    tracked = [listed.path for listed in list_files(Git(project.root, project.environment))]
    return instructions(project, count).advice(Task(), project.budget.room("instructions"), words, tracked)


def memory(project: Project, count: Count) -> Memory:
    """MEMORY.md, decisions, failures, the daily log, and what bears on the task."""
    from ctxe.knowledge.memory import Memory

    return Memory(
        project.store,
        count,
        project.root,
        project.place.working,
        lambda: project.ranker,
        facts=facts_of(project),
        counters=project.counters,
        recent=project.config.memory.daily_lines,
    )


def told_at_start(project: Project, kit: Kit, count: Count) -> tuple[str, ...]:
    """What people should know before a session: rules and memory changed outside, cut, refused, invisible, broken."""
    task = Task()
    said = list(instructions(project, count).notices(task, project.budget.room("instructions")))
    if project.config.memory.enabled:
        outside = project.store.seen() if project.place.writable else ""
        said = [*([outside] if outside else []), *said, *memory(project, count).notices()]
    said += skills(project, kit.skills, count).notices()
    more = [f"{len(said) - MOST_TOLD} more: `ctxe memory show --sources`"] if len(said) > MOST_TOLD else []
    return (*said[:MOST_TOLD], *more)


def scoped_rules(project: Project, count: Count) -> Callable[[State], list[Chunk]]:
    """Rules for files that the newest step was the first to touch, as notes for the model; each is told once."""
    source = instructions(project, count)
    room = project.budget.room("instructions")

    def notes(state: State) -> list[Chunk]:
        steps = state.turn.steps
        newest = [touch.path for result in steps[-1].results for touch in result.touches] if steps else []
        if not newest:
            return []
        held = {chunk.digest for turn in state.conversation.turns for s in turn.gathered for chunk in s.chunks}
        held |= {note.digest for _, step in state.conversation.steps() for note in step.notes}
        return [chunk for chunk in source.for_files(newest, room) if chunk.digest not in held]

    return notes


def surroundings(project: Project) -> Section:
    """The machine, the day and the branch: what a session should know with its first words."""
    import platform

    from ctxe.repo.git import Git

    branch = Git(project.root, project.environment).branch() if project.place.git else ""
    facts = [f"platform: {platform.system()} {platform.machine()}", f"date: {datetime.now(UTC):%Y-%m-%d}"]
    if branch:
        facts.append(f"git branch: {branch}")
    if project.place.working != project.root:
        facts.append(f"the user stands in {project.place.working.relative_to(project.root)}/")
    chunk = Chunk("surroundings", "\n".join(facts), "where this session runs")
    return Section("surroundings", Priority.TASK, (chunk,), "task")
