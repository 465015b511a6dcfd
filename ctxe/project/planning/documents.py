"""Documentation outside the project ([retrieval] sources): it has an index of its own and is searched for each plan."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ctxe import config
from ctxe.domain.errors import CtxeError
from ctxe.domain.value import replace
from ctxe.lexical.bm25 import idf
from ctxe.project.planning.meaning import meant
from ctxe.repo.planning.planner import Planned, plan

if TYPE_CHECKING:
    from ctxe.project import Project
    from ctxe.repo.indexing.index import Index
    from ctxe.repo.planning.ranking import Ranking

MOST = 3
"""Most documents in a plan."""
COVERED = 0.5
"""Least part of the weight of a task's first words that a document must contain."""


def documents(project: Project, task: str, room: int) -> tuple[list[Planned], list[str]]:
    """Documents about a task, in at most ``room`` tokens, and notes on folders that could not be read."""
    found: list[Planned] = []
    notes: list[str] = []
    for folder in project.config.retrieval.sources:
        root = Path(folder).expanduser()
        if not root.is_dir():
            notes.append(f"no folder {folder} ([retrieval] sources)")
            continue
        try:
            index = _index(project, root)
            found += _relevant(project, index, folder, task, room)
            index.close()
        except CtxeError as error:
            notes.append(f"{folder}: {error.message}")
    return _best(found, room), notes


def _index(project: Project, root: Path) -> Index:
    """The refreshed index of such a folder, in the user's cache. Raises StoreError."""
    from ctxe.domain.section import digest
    from ctxe.repo.git import Git
    from ctxe.repo.indexing.index import Index

    place = config.cache_folder(project.environment) / "sources" / f"{digest(str(root.resolve()))[:16]}.db"
    index = Index(root, Git(root, project.environment), place)
    index.refresh()
    return index


def _relevant(project: Project, index: Index, folder: str, task: str, room: int) -> list[Planned]:
    made, ranking = plan(index, task, room, meaning=meant(project, index, task)[0])
    shown = [file for file in made.files if file.mode in ("full", "region")][: 2 * MOST]
    return [
        _with_full_path(file, folder) for file in shown if covered(ranking, index.files.by_path[file.path]) >= COVERED
    ]


def _with_full_path(file: Planned, folder: str) -> Planned:
    path = f"{folder.rstrip('/')}/{file.path}"
    return replace(file, path=path, kind="doc", text=file.text.replace(f'path="{file.path}"', f'path="{path}"', 1))


def covered(ranking: Ranking, number: int) -> float:
    """The part of the weight of a task's first words that a file contains; rare words weigh more."""
    evidence = ranking.evidence
    total = max(1, evidence.index.files.statistics.documents)
    whole = held = 0.0
    for word in evidence.views["lead"]:
        files = evidence.postings[word][0][::2] if word in evidence.postings else ()
        worth = evidence.common.get(word, 1.0) * idf(total, len(files))
        whole += worth
        held += worth if number in files else 0.0
    return held / whole if whole else 0.0


def _best(found: list[Planned], room: int) -> list[Planned]:
    """The best documents within ``room`` tokens."""
    chosen: list[Planned] = []
    for file in sorted(found, key=lambda file: -file.score):
        if len(chosen) < MOST and file.tokens <= room:
            chosen.append(file)
            room -= file.tokens
    return chosen
