"""The sources of a session, and its other texts for model and user: scoped rules, changed files, start-up notices."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ctxe.context.budget import Budget, birth_limit
from ctxe.context.tokens import Count
from ctxe.data import read_text
from ctxe.domain.model import Model
from ctxe.domain.section import Chunk, Priority, Section, ShareName, Source, Task
from ctxe.knowledge.entries.outside_changes import note_changes
from ctxe.project.memory.standing import instructions, memory
from ctxe.project.models import budget_for, counter
from ctxe.project.secret_guards import text_cleaner
from ctxe.project.servers.lazy import any_configured
from ctxe.project.skills.use import skills
from ctxe.project.window.compose import Composer, SessionSources, rules_section
from ctxe.project.window.freshness import change_notes, within_budget
from ctxe.project.window.mentions import named_files
from ctxe.project.window.plan_source import Chosen, PlanSource

if TYPE_CHECKING:
    from ctxe.agent.state import State
    from ctxe.project import Project
    from ctxe.project.skills.use import SessionSkills
    from ctxe.project.window.files import SessionFiles
    from ctxe.project.window.kit import Kit

MOST_TOLD = 8
"""Most notices about rules and memory at the start of a session."""


def offers(project: Project, kit: Kit, count: Count, chosen: Chosen, session: str) -> SessionSources:
    """The sources and fixed parts of a session in this project; ``chosen`` gives the user's own files."""
    rules, planning = instructions(project, count), PlanSource(project, chosen, kit.files, kit.allowance)
    return SessionSources(
        rules=rules_section(read_text("rules.md")),
        schemas=kit.schemas,
        sources=(("instructions", rules), *_sources(project, kit, count, session), ("files", planning)),
        named=lambda paths, room: named_files(paths, room, kit.files.show, count, picture=kit.files.picture),
        surroundings=lambda: surroundings(project),
        changes=lambda state, budget: changes(state, kit.files, budget, count),
        clean=kit.clean,
        going=planning.progress,
        instructions=rules,
    )


def composer(project: Project, model: Model, kit: Kit, session: str, chosen: Chosen = tuple) -> Composer:
    """A composer for a model in this project; ``chosen`` gives the user's own files as (path, choice)."""
    counted = counter(project, model)
    return Composer(
        offers(project, kit, counted.count, chosen, session), model, budget_for(project, model), counted, session
    )


def _sources(project: Project, kit: Kit, count: Count, session: str) -> list[tuple[ShareName, Source]]:
    found: list[tuple[ShareName, Source]] = [("skills", skills(project, kit.skills, count))]
    if "use" in kit.tools and (servers := kit.servers.named):
        from ctxe.project.servers.server_list import ServerLines

        found.append(("skills", ServerLines(servers.running.known.values, servers.running.listed, count)))
    if project.config.memory.enabled:
        found.append(("memory", memory(project, count, session)))
    return found


def start_notices(project: Project, skilled: SessionSkills, composer: Composer) -> tuple[str, ...]:
    """Notices before a session: rules and memory that were changed outside, cut, refused, invisible or broken."""
    count = composer.count
    lines = list(composer.offers.instructions.notices(Task(), project.budget.room("instructions")))
    if project.config.memory.enabled:
        again = any(project.place.sessions.glob("*.jsonl"))
        changed = note_changes(project.store, again=again) if project.place.writable else ""
        lines = [*([changed] if changed else []), *lines, *memory(project, count).notices()]
    lines += skills(project, skilled, count).notices()
    if any_configured(project):
        from ctxe.project.servers.configured import refused

        lines += refused(project)
    rest = [f"{len(lines) - MOST_TOLD} more: `ctxe memory show --sources`"] if len(lines) > MOST_TOLD else []
    return (*lines[:MOST_TOLD], *rest)


def scoped_rules(project: Project, composer: Composer) -> Callable[[State], list[Chunk]]:
    """A function that gives the rules for files which the newest step touched first, as notes; each is told once."""
    source = composer.offers.instructions
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


def changes(state: State, files: SessionFiles, budget: Budget, count: Count) -> Sequence[Section]:
    """A section on files that changed since the model saw them, to send with the user's words; empty when none did."""
    each = birth_limit("read", budget.window)

    def news(path: str, before: str, whole: bool) -> str:
        return files.news(path, before, each, count, whole=whole)

    notes = tuple(change_notes(state, files.digest_of, within_budget(budget.room("files"), news, count)))
    return [Section("changes", Priority.INJECTED, notes, "task")] if notes else []


def surroundings(project: Project) -> Section:
    """The machine, the day and the git branch, to be sent with a session's first words."""
    branch = project.git.branch() if project.place.git else ""
    facts = [f"platform: {_machine()}", f"date: {datetime.now(UTC):%Y-%m-%d}"]
    if branch:
        operation = project.git.under_way()
        more = f", a {operation} is under way" if operation else ""
        named = "none, HEAD is detached" if branch == "HEAD" else text_cleaner(project.own_keys)(branch)
        facts.append(f"git branch: {named}{more}")
    if project.place.working != project.root:
        facts.append(f"the user stands in {project.place.working.relative_to(project.root)}/")
    chunk = Chunk("surroundings", "\n".join(facts), "where this session runs")
    return Section("surroundings", Priority.TASK, (chunk,), "task")


def _machine() -> str:
    """The system and its processor. ``platform`` takes 3 ms to import; ``os.uname`` says the same where it exists."""
    if hasattr(os, "uname"):
        named = os.uname()
        return f"{named.sysname} {named.machine}"
    import platform

    return f"{platform.system()} {platform.machine()}"
