"""The planned files of a session: those that clearly matter to the user's words and are not in the request yet."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ctxe.domain.errors import StoreError
from ctxe.domain.picture import has_picture_name
from ctxe.domain.section import Omission, Priority, Section, Task
from ctxe.domain.value import replace
from ctxe.knowledge.asked import asked_kind
from ctxe.knowledge.corrections import is_correction
from ctxe.project.planning.background_index import BackgroundIndex
from ctxe.project.planning.plan import made
from ctxe.project.window.task_words import says_enough, without_paths, without_pictures
from ctxe.repo.indexing.repair import refresh_with_repair
from ctxe.repo.planning.planner import Plan
from ctxe.repo.planning.source import section
from ctxe.repo.planning.steering import Steering

if TYPE_CHECKING:
    from ctxe.project import Project
    from ctxe.project.allowance import Allowance
    from ctxe.project.window.files import SessionFiles
    from ctxe.repo.indexing.index import Index

NEAR = 0.6
"""A file is put into the request when its score is at least this part of the best one's (docs/decisions/0005)."""
PACKED = 8_000
"""Token budget of a session's plan: 8,000 show six in ten lines of a fix, 16,000 seven (docs/decisions/0005)."""
FOLLOWING = 4_000
"""Token budget once the session works with files: new words lean on those, and every request pays for the plan."""
MOST = 4
"""Most files in a plan: when more score near the best one, the words say little."""
PATIENCE = 5.0
"""Seconds that a request waits for the first build of the index; what is built by then is kept."""
BUILDING = Omission("files:index", 0, "the index is still being built")
NAMED = ("path_named", "module_named", "frame")
"""Reasons for which a file is shown when no others count: for words entered while the model works
(docs/decisions/0080), for words that correct what it did or ask what was decided, and for words that say nothing but a
path ("add a line to CHANGES.md").
"""
LEAST = 400
"""Room in tokens below which nothing is planned."""
SHORT = Omission("files:plan", 0, "the words say too little to plan files by; say more, or name one with @path")
Chosen = Callable[[], Sequence[tuple[str, str]]]


class PlanSource:
    """A Source of files that clearly matter to the user's words, cut to regions where that is enough.

    A plan fills any budget, so a session takes only the files that score near the best one, and none when the words say
    too little. ``chosen`` gives the user's own (path, choice) pairs; ``files`` tells which versions the model has;
    ``patience`` is how many seconds a request waits for the first index.
    """

    def __init__(
        self, project: Project, chosen: Chosen, files: SessionFiles, allowance: Allowance, patience: float = PATIENCE
    ) -> None:
        self._project, self._chosen, self._files = project, chosen, files
        self._allowance, self._patience = allowance, patience
        self._background = BackgroundIndex(project)

    def progress(self) -> str:
        """Progress of the first index build, in words; empty before and after it."""
        return self._background.progress()

    def offer(self, task: Task, room: int) -> Sequence[Section]:
        """Planned files of at most ``room`` tokens, or an omission that says why words plan nothing. Never raises."""
        named = tuple(path for path in task.named if not has_picture_name(path))
        task = replace(task, words=without_pictures(task.words), named=named)
        if not (task.named or says_enough(task.words)):
            return (_no_files(SHORT),) if task.words.strip() and not task.under_way else ()
        fresh = self._background.start()
        if not self._background.is_built(self._patience):
            return (_no_files(BUILDING),)
        with self._background.using:
            try:
                return self._planned_files(task, room, fresh=fresh)
            except (StoreError, OSError) as error:
                return (_no_files(replace(BUILDING, why=str(error))),)

    def _planned_files(self, task: Task, room: int, *, fresh: bool) -> Sequence[Section]:
        """The plan by the current index. Raises StoreError, OSError."""
        index = self._background.built()
        if index is None or room < LEAST or not task.words.strip():
            return ()
        if not fresh:  # the tree may have changed since the index was built
            refresh_with_repair(index)
        made = self._plan(index, task, min(room, FOLLOWING if task.files else PACKED))
        only = task.under_way or _refers_back(task) or not says_enough(without_paths(task.words))
        return [self._near_best(made, task, named_only=only)] if made.files else ()

    def _plan(self, index: Index, task: Task, room: int) -> Plan:
        steering = steering_of(task, self._chosen())
        return made(self._project, index, task.words, room, steering, self._allowance, ahead=task.is_preview)

    def _near_best(self, made: Plan, task: Task, *, named_only: bool) -> Section:
        """The files that score near the best one and are new to the model; the others are left out with a reason."""
        found = section(made)
        best = max(file.score for file in made.files)
        named = {file.path for file in made.files if any(reason.signal in NAMED for reason in file.reasons)}
        near = [file.path for file in made.files if file.score >= NEAR * best][:MOST]
        near = [path for path in near if path in named] if named_only else near
        kept, out = [], []
        for chunk in found.chunks:
            if chunk.path not in near:
                out.append(Omission(chunk.path or chunk.id, 0, "is less relevant to the words"))
                continue
            now = self._files.digest_of(chunk.path)
            if chunk.path in task.sent_whole or self._files.workspace.seen_digest(chunk.path) == now:
                out.append(Omission(chunk.path, 0, "was in the request already"))
            else:
                kept.append(replace(chunk, of=now))
        note = [Omission(f"{found.name}:note", 0, made.note)] if made.note else []
        return replace(found, chunks=tuple(kept), left_out=(*note, *out))


def _refers_back(task: Task) -> bool:
    """Whether the words correct work whose files the request holds ("no, keep the old name too"), or ask for memory."""
    return bool(task.files and is_correction(task.words)) or bool(asked_kind(task.words)[0])


def _no_files(why: Omission) -> Section:
    return Section("files", Priority.INJECTED, (), "task", "files", (why,))


def steering_of(task: Task, chosen: Sequence[tuple[str, str]]) -> Steering:
    """How the session and its user steer a plan: files in use, files named by these words, and dropped files."""
    given = (path for path, choice in chosen if choice != "drop")
    dropped = tuple(path for path, choice in chosen if choice == "drop")
    touched = tuple(dict.fromkeys((*given, *task.files)))
    return Steering(touched, added=tuple(dict.fromkeys(task.named)), dropped=dropped)
