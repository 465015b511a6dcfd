"""Which files a task needs, as the planner of this project says."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ctxe.domain.errors import StoreError
from ctxe.domain.section import Omission, Priority, Section, Task
from ctxe.project.indexing import Advance, index, opened, told
from ctxe.repo.mix import fitted, weighed
from ctxe.repo.planner import Plan, Planned, Steering, laid_out
from ctxe.repo.source import PlannedFiles

if TYPE_CHECKING:
    from ctxe.project import Project
    from ctxe.project.kit import Kit
    from ctxe.repo.index import Index
    from ctxe.repo.ranking import Ranking

__all__ = ["Plan", "Planned", "Planning", "build_index", "plan"]

NEAR = 0.6
"""A file is put before the model when its score is at least this part of the best one's (docs/decisions/0005)."""
PACKED = 8_000
"""Tokens of a session's plan: 8,000 show six in ten lines of a fix, 16,000 seven (docs/decisions/0005)."""
MOST = 4
"""Files at most: where many are near, the words say little."""
DOCUMENTS = 0.15
"""Part of a plan that documentation from outside the project may take."""
MOST_MEMORIES = 5
"""Memories whose files a plan looks at."""
PATIENCE = 5.0
"""Seconds that a request waits for an index that is built for the first time; what is done of it is kept."""
BUILDING = Omission("files:plan", 0, "the index is still being built")
FEWEST = 2
"""Telling words, fewer of which plan nothing."""
Chosen = Callable[[], Sequence[tuple[str, str]]]


def plan(project: Project, words: str, budget: int, advance: Advance | None = None) -> Plan:
    """The files a task needs and what to show of them within ``budget`` tokens."""
    return made(project, index(project, advance), words, budget, Steering())


def made(project: Project, index: Index, words: str, budget: int, steering: Steering) -> Plan:
    """The plan of a refreshed index with all that the user switched on: vectors, documents, a model's second look."""
    settings = project.config.retrieval
    steering = replace(steering, named=(*steering.named, *remembered_files(project, index, words)))
    if not (settings.embeddings or settings.sources or project.config.plan.refine):
        return laid_out(index, words, budget, steering)[0]
    from ctxe.project.documents import documents
    from ctxe.project.meaning import meant
    from ctxe.project.refining import looked_over, noted

    scores, note = meant(project, index, words) if settings.embeddings else ({}, "")
    weights = weighed(fitted(), "meaning", settings.weight)
    documented, notes = documents(project, words, int(budget * DOCUMENTS)) if settings.sources else ([], [])
    room = budget - sum(file.tokens for file in documented)

    def planned(task: str, steering: Steering) -> tuple[Plan, Ranking]:
        return laid_out(index, task, room, steering, weights, scores if task == words else None)

    looked = looked_over(project, planned, words, steering) if _refines(project, words) else planned(words, steering)[0]
    tokens = budget - room + looked.tokens
    return noted(replace(looked, budget=budget, tokens=tokens, files=(*looked.files, *documented)), note, *notes)


def remembered_files(project: Project, index: Index, words: str) -> tuple[str, ...]:
    """The files that memories, decisions and failures speak of, where they bear on the words."""
    if not (project.config.memory.enabled and words.strip()):
        return ()
    with contextlib.suppress(StoreError, OSError):
        entries = project.store.entries()
        if any(entry.files for entry in entries):
            from ctxe.knowledge.links import is_current, successors
            from ctxe.knowledge.query import Query

            replaced = successors(entries)
            found = project.ranker.bearing(Query(words), entries, lambda entry: is_current(entry, replaced))
            files = (path for one in found[:MOST_MEMORIES] for path in one.entry.files)
            return tuple(path for path in dict.fromkeys(files) if path in index.by_path)
    return ()


def _refines(project: Project, words: str) -> bool:
    return project.config.plan.refine and bool(words.strip())


def build_index(project: Project, advance: Advance | None = None) -> dict[str, Any]:
    """Bring the index up to date and say what was done, as ``ctxe index --json`` prints it."""
    found = opened(project)
    done = found.refresh(told(advance))
    found.count_exactly()
    if project.config.retrieval.embeddings:
        from ctxe.project.meaning import embed_all

        embed_all(project, found, lambda count: advance(count, "windows embedded") if advance else None)
    return found.status() | {"scanned": done.scanned, "removed": done.removed, "seconds": round(done.seconds, 3)}


class Planning:
    """A Source: the files that clearly bear on the user's words, cut to regions where that is enough.

    A plan fills whatever it is given; a session is told only of files whose score is near the best one's, and of none
    when the words say too little. ``chosen`` gives the user's own (path, choice); the kit knows what the model holds;
    ``patience`` is how many seconds a request waits for the first index.
    """

    def __init__(self, project: Project, chosen: Chosen, kit: Kit, patience: float = PATIENCE) -> None:
        self._project, self._chosen, self._kit, self._patience = project, chosen, kit, patience
        self._using = threading.Lock()
        self._planned: PlannedFiles | None = None
        self._building: threading.Thread | None = None

    def offer(self, task: Task, room: int) -> Sequence[Section]:
        """Planned files of at most ``room`` tokens; nothing where the words name nothing. Never raises."""
        if not (task.named or telling(task.words)):
            return ()
        with self._using, contextlib.suppress(StoreError, OSError):
            if not self._built():
                return (Section("files", Priority.INJECTED, (), "task", "files", (BUILDING,)),)
            if self._planned is None:
                return ()
            offered = self._planned.offer(task, min(room, PACKED))
            made = self._planned.newest
            return [self._near(section, made, task) for section in offered] if made else ()
        return ()

    def _built(self) -> bool:
        """Whether the index is there. It is built beside the session: a large tree takes longer than anybody waits."""
        if self._building is None:
            self._building = threading.Thread(target=self._build, name="index", daemon=True)
            self._building.start()
        self._building.join(self._patience)
        return not self._building.is_alive()

    def _build(self) -> None:
        """Nothing is planned in a session whose index cannot be had; `ctxe index` says why."""
        with contextlib.suppress(StoreError, OSError):
            self._planned = PlannedFiles(index(self._project), self._steering, planned=self._made, fresh=True)

    def _made(self, index: Index, words: str, budget: int, steering: Steering) -> Plan:
        return made(self._project, index, words, budget, steering)

    def _steering(self) -> Steering:
        return Steering(dropped=tuple(path for path, choice in self._chosen() if choice == "drop"))

    def _near(self, section: Section, made: Plan, task: Task) -> Section:
        best = max(file.score for file in made.files)
        near = [file.path for file in made.files if file.score >= NEAR * best][:MOST]
        kept, out = [], []
        for chunk in section.chunks:
            if chunk.path not in near:
                out.append(Omission(chunk.path or chunk.id, 0, "bears less on the words"))
                continue
            now = self._kit.digest_of(chunk.path)
            if chunk.path in task.named or self._kit.workspace.known(chunk.path) == now:
                out.append(Omission(chunk.path, 0, "stands in the request already"))
            else:
                kept.append(replace(chunk, of=now))
        told = [Omission(f"{section.name}:note", 0, made.note)] if made.note else []
        return replace(section, chunks=tuple(kept), left_out=(*told, *out))


def telling(words: str) -> bool:
    """Do words say enough to plan by? A greeting or thanks does not."""
    from ctxe.lexical.words import terms

    return len(set(terms(words))) >= FEWEST
