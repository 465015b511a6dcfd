"""The files that a task needs, by the planner of this project."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from ctxe.domain.errors import StoreError
from ctxe.domain.value import replace
from ctxe.project.allowance import Allowance
from ctxe.project.planning.indexing import Advance, file_progress, index, opened
from ctxe.repo.indexing.repair import ask_with_repair, refresh_with_repair
from ctxe.repo.planning import planner
from ctxe.repo.planning.mix import fitted, weighed
from ctxe.repo.planning.planner import DROPPED, Plan, Planned
from ctxe.repo.planning.steering import UNSTEERED, Steering

if TYPE_CHECKING:
    from ctxe.project import Project
    from ctxe.repo.indexing.index import Index
    from ctxe.repo.planning.ranking import Ranking

__all__ = ["DROPPED", "Plan", "Planned", "Steering", "build_index", "plan"]

DOCUMENTS = 0.15
"""Largest share of a plan for documentation from outside the project."""
MOST_MEMORIES = 5
"""Most memories whose files a plan considers."""


def plan(
    project: Project, words: str, budget: int, advance: Advance | None = None, steering: Steering | None = None
) -> Plan:
    """The files a task needs and what to show of them within ``budget`` tokens; its note names paths it cannot show."""
    from ctxe.project.planning.unplanned import unplanned_lines

    found = index(project, advance)
    planned = made(project, found, words, budget, steering or UNSTEERED)
    notes = (planned.note, *unplanned_lines(project, found, words))
    return replace(planned, note="; ".join(filter(None, notes)))


def made(
    project: Project,
    index: Index,
    words: str,
    budget: int,
    steering: Steering,
    allowance: Allowance | None = None,
    *,
    ahead: bool = False,
) -> Plan:
    """A plan by a refreshed index with everything the user enabled: vectors, documents, a model's second look.

    ``allowance`` is the session's money; ``ahead``: the words are not sent yet, so no host is asked. A damaged index is
    rebuilt, and the plan says so.
    """
    pays = None if ahead else allowance or Allowance()
    return ask_with_repair(index, lambda index: _plan(project, index, words, budget, steering, pays))


def _plan(
    project: Project, index: Index, words: str, budget: int, steering: Steering, allowance: Allowance | None
) -> Plan:
    """The plan. Without an ``allowance`` no paid host is asked."""
    settings, asks = project.config.retrieval, allowance is not None
    steering = replace(steering, named=(*steering.named, *remembered_files(project, index, words, meant=asks)))
    embeds, refines = asks and settings.embeddings, asks and project.config.plan.refine and words.strip()
    if not (embeds or settings.sources or refines):
        return planner.plan(index, words, budget, steering)[0]
    from ctxe.project.planning.documents import documents
    from ctxe.project.planning.meaning import meant
    from ctxe.project.planning.refining import second_look, with_notes

    scores, note = meant(project, index, words) if embeds else ({}, "")
    weights = weighed(fitted(), "meaning", settings.weight)
    documented, notes = documents(project, words, int(budget * DOCUMENTS)) if settings.sources else ([], [])
    room = budget - sum(file.tokens for file in documented)

    def planned(task: str, steering: Steering) -> tuple[Plan, Ranking]:
        return planner.plan(index, task, room, steering, weights, scores if task == words else None)

    if allowance is not None and refines:
        looked = second_look(project, planned, words, steering, allowance)
    else:
        looked, _ = planned(words, steering)
    tokens = budget - room + looked.tokens
    return with_notes(replace(looked, budget=budget, tokens=tokens, files=(*looked.files, *documented)), note, *notes)


def remembered_files(project: Project, index: Index, words: str, *, meant: bool = True) -> tuple[str, ...]:
    """Files of the memories, decisions and failures that bear on the words (see Ranker.bearing)."""
    if not (project.config.memory.enabled and words.strip()):
        return ()
    with contextlib.suppress(StoreError, OSError):
        entries = project.store.entries()
        if any(entry.files for entry in entries):
            from ctxe.knowledge.entries.links import holding
            from ctxe.knowledge.recall.query import Query

            found = project.ranker.bearing(Query(words), entries, holding(entries), meant=meant)
            files = (path for one in found[:MOST_MEMORIES] for path in one.entry.files)
            return tuple(path for path in dict.fromkeys(files) if path in index.files.by_path)
    return ()


def unconnected(project: Project) -> Project:
    """The project without the settings that make planning ask a host: vectors and a model's second look."""
    config = project.config
    offline = replace(
        config, plan=replace(config.plan, refine=False), retrieval=replace(config.retrieval, embeddings="")
    )
    return project if offline == config else replace(project, loaded=replace(project.loaded, config=offline))


def build_index(project: Project, advance: Advance | None = None) -> dict[str, Any]:
    """Refresh the index and report it as ``ctxe index --json`` prints it."""
    found = opened(project)
    done = refresh_with_repair(found, file_progress(advance))
    ask_with_repair(found, lambda index: index.count_exactly())
    if project.config.retrieval.embeddings:
        from ctxe.project.planning.meaning import embed_all

        embed_all(project, found, lambda count: advance(count, "windows embedded", 0) if advance else None)
    return found.status() | {"scanned": done.scanned, "removed": done.removed, "seconds": round(done.seconds, 3)}
