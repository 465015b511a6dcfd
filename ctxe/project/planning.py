"""Which files a task needs, as the planner of this project says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ctxe.repo.planner import Plan, Planned

if TYPE_CHECKING:
    from ctxe.project import Project
    from ctxe.repo.index import Index

__all__ = ["Found", "Plan", "Planned", "build_index", "index", "index_status", "plan", "ranked"]

Advance = Callable[[int, str], None]
"""Told how many files were read, and of how many."""


@dataclass(frozen=True, slots=True)
class Found:
    """A file that bears on a task, and the signals that say so, the strongest first."""

    path: str
    why: tuple[str, ...]


def index(project: Project, advance: Advance | None = None) -> Index:
    """The index of this project, brought up to date; it may take seconds the first time in a large tree."""
    found = _opened(project)
    found.refresh(_told(advance))
    return found


def _opened(project: Project) -> Index:
    from ctxe.repo.git import Git
    from ctxe.repo.index import Index

    return Index(project.root, Git(project.root, project.environment), project.cache / "index.db")


def _told(advance: Advance | None) -> Callable[[int, int], None] | None:
    return None if advance is None else lambda done, todo: advance(done, f"of {todo:,} files")


def plan(project: Project, words: str, budget: int, advance: Advance | None = None) -> Plan:
    """The files a task needs and what to show of them within ``budget`` tokens."""
    from ctxe.repo.planner import plan as planned

    return planned(index(project, advance), words, budget)


def build_index(project: Project, advance: Advance | None = None) -> dict[str, Any]:
    """Bring the index up to date and say what was done, as ``ctxe index --json`` prints it."""
    found = _opened(project)
    done = found.refresh(_told(advance))
    found.count_exactly()
    return found.status() | {"scanned": done.scanned, "removed": done.removed, "seconds": round(done.seconds, 3)}


def index_status(project: Project) -> dict[str, Any]:
    """How the index stands, without changing it."""
    return _opened(project).status()


def ranked(project: Project, words: str, most: int, files: Sequence[str] = ()) -> list[Found]:
    """At most ``most`` files that bear on the words, best first."""
    from ctxe.repo.mix import fitted
    from ctxe.repo.ranking import rank

    ranking = rank(index(project), words, fitted(), tuple(files))
    found = []
    for number in ranking.order[:most]:
        votes = {name: ballot[number][0] for name, ballot in ranking.ballots.items() if number in ballot}
        best = sorted(votes, key=lambda name: -votes[name])[:2]
        found.append(Found(ranking.evidence.file(number).path, tuple(name.replace("_", " ") for name in best)))
    return found
