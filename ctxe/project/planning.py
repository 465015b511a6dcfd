"""Which files a task needs, as the planner of this project says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ctxe.project import Project
    from ctxe.repo.index import Index


@dataclass(frozen=True, slots=True)
class Found:
    """A file that bears on a task, and the signals that say so, the strongest first."""

    path: str
    why: tuple[str, ...]


def index(project: Project) -> Index:
    """The index of this project, brought up to date; it may take seconds the first time in a large tree."""
    from ctxe.repo.git import Git
    from ctxe.repo.index import Index

    found = Index(project.root, Git(project.root, project.environment), project.cache / "index.db")
    found.refresh()
    return found


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
