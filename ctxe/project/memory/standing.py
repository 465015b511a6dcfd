"""What every session of this project holds: instruction files and memory, each with its token cost."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from ctxe.context.tokens import Count
from ctxe.domain.section import Task
from ctxe.domain.value import dataclass
from ctxe.project.memory.evidence import facts_of
from ctxe.project.planning.ignored import readable

if TYPE_CHECKING:
    from ctxe.knowledge.memory import Memory
    from ctxe.knowledge.rules.instructions import InstructionFile, Instructions
    from ctxe.project import Project

MOST_README = 200_000
"""Most bytes of a README to compare rules with."""


def instructions(project: Project, count: Count) -> Instructions:
    """The source of instruction files: AGENTS.md and its kin."""
    from ctxe.knowledge.rules.instructions import Instructions
    from ctxe.knowledge.rules.rulefiles import RulePlaces

    place, read = project.place, project.config.instructions.read
    return Instructions(RulePlaces(place.root, place.working, place.user, read, readable(project)), count)


def memory(project: Project, count: Count, session: str = "") -> Memory:
    """The source of memory: MEMORY.md, decisions, failures, the daily log, and entries for the task."""
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
        session=session,
    )


def price_of_rules(project: Project, count: Count) -> tuple[str, ...]:
    """Wasted parts of instruction files, one line each: repeats of the README, scopes without a file."""
    from ctxe.domain.errors import StoreError
    from ctxe.repo.files import list_files
    from ctxe.storage import files as disk

    readme = next((path for path in project.root.glob("[Rr][Ee][Aa][Dd][Mm][Ee]*") if path.is_file()), None)
    words = ""
    if readme:
        with contextlib.suppress(StoreError):
            words = disk.read(readme, MOST_README).decode("utf-8", "replace")
    tracked = [listed.path for listed in list_files(project.git)]
    return instructions(project, count).advice(Task(), project.budget.room("instructions"), words, tracked)


@dataclass(frozen=True, slots=True)
class StandingSources:
    """What every session holds: instruction files in order, chunks of memory with tokens, and notices for people."""

    rules: tuple[InstructionFile, ...]
    pieces: list[dict[str, Any]]
    notices: tuple[str, ...]


def sources(project: Project) -> StandingSources:
    """Everything that every session of the project holds."""
    from ctxe.project.models import counter as counting

    count = counting(project, project.model).count
    rules = instructions(project, count)
    room = project.budget.room("instructions")
    task = Task()
    remembered = memory(project, count)
    standing = list(remembered.offer(task, project.budget.room("memory")))
    pieces = [
        {"id": chunk.id, "tokens": count(chunk.text), "why": chunk.why}
        for section in standing
        for chunk in section.chunks
    ]
    pieces += [{"id": out.id, "tokens": 0, "why": out.why} for section in standing for out in section.left_out]
    notices = (*rules.notices(task, room), *remembered.notices(), *price_of_rules(project, count))
    return StandingSources(tuple(rules.sources(task, room)), pieces, notices)
