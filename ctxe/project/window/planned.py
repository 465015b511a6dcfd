"""The planned files of a session: those that clearly bear on the user's words and do not stand in the request yet."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ctxe.domain.errors import StoreError
from ctxe.domain.picture import is_named_like_one
from ctxe.domain.section import Omission, Priority, Section, Task
from ctxe.domain.value import replace
from ctxe.project.planning.indexing import index
from ctxe.project.planning.plan import made
from ctxe.project.window.saying import nameless, said, telling
from ctxe.repo.indexing.repair import refreshed
from ctxe.repo.planning.planner import Plan
from ctxe.repo.planning.source import section
from ctxe.repo.planning.steering import Steering
from ctxe.terminal.figures import percent, plural

if TYPE_CHECKING:
    from ctxe.project import Project
    from ctxe.project.purse import Purse
    from ctxe.project.window.files import SessionFiles
    from ctxe.repo.indexing.index import Index

NEAR = 0.6
"""A file is put before the model when its score is at least this part of the best one's (docs/decisions/0005)."""
PACKED = 8_000
"""Tokens of a session's plan: 8,000 show six in ten lines of a fix, 16,000 seven (docs/decisions/0005)."""
FOLLOWING = 4_000
"""Tokens of a plan once the session works with files: its words lean on those, and are paid for with every request."""
MOST = 4
"""Files at most: where many are near, the words say little."""
PATIENCE = 5.0
"""Seconds that a request waits for an index that is built for the first time; what is done of it is kept."""
BUILDING = Omission("files:index", 0, "the index is still being built")
NAMED = ("path_named", "module_named", "frame")
"""Reasons for which a file is shown where nothing else is: for words told while the model works (docs/decisions/0080),
and for such as say nothing but a path ("add a line to CHANGES.md")."""
LEAST = 400
"""Tokens of room below which nothing is planned."""
SHORT = Omission("files:plan", 0, "the words say too little to plan files by; say more, or name one with @path")
Chosen = Callable[[], Sequence[tuple[str, str]]]


class Planning:
    """A Source: the files that clearly bear on the user's words, cut to regions where that is enough.

    A plan fills whatever it is given; a session is told only of files whose score is near the best one's, and of none
    when the words say too little. ``chosen`` gives the user's own (path, choice); ``files`` know what the model holds;
    ``patience`` is how many seconds a request waits for the first index.
    """

    def __init__(
        self, project: Project, chosen: Chosen, files: SessionFiles, purse: Purse, patience: float = PATIENCE
    ) -> None:
        self._project, self._chosen, self._files = project, chosen, files
        self._purse, self._patience = purse, patience
        self._using = threading.Lock()
        self._index: Index | None = None
        self._building: threading.Thread | None = None
        self._failed: StoreError | OSError | None = None
        self._read = (0, 0)

    def going(self) -> str:
        """How far the first index is while it is built; nothing before and after."""
        done, every = self._read
        built = self._building is None or not self._building.is_alive()
        return "" if built or done >= every else f"indexing {percent(done, every)} of {plural(every, 'file')}"

    def offer(self, task: Task, room: int) -> Sequence[Section]:
        """Planned files of at most ``room`` tokens; why there are none where the words name nothing. Never raises."""
        named = tuple(path for path in task.named if not is_named_like_one(path))
        task = replace(task, words=said(task.words), named=named)
        if not (task.named or telling(task.words)):
            return (_none(SHORT),) if task.words.strip() and not task.under_way else ()
        fresh = self._begun()
        if not self._built():
            return (_none(BUILDING),)
        with self._using:
            try:
                return self._offered(task, room, fresh=fresh)
            except (StoreError, OSError) as error:
                return (_none(replace(BUILDING, why=str(error))),)

    def _offered(self, task: Task, room: int, *, fresh: bool) -> Sequence[Section]:
        """The plan of the index as it is now. Raises StoreError, OSError."""
        if self._failed is not None:
            raise self._failed
        if self._index is None or room < LEAST or not task.words.strip():
            return ()
        if not fresh:  # the tree may have changed since the index was built
            refreshed(self._index)
        made = self._made(self._index, task, min(room, FOLLOWING if task.files else PACKED))
        only = task.under_way or not telling(nameless(task.words))
        return [self._near(made, task, named_only=only)] if made.files else ()

    def _begun(self) -> bool:
        """Whether the index is built from here on, beside the session: a large tree takes longer than anybody waits."""
        with self._using:
            begins = self._building is None
            if begins:
                self._building = threading.Thread(target=self._build, name="index", daemon=True)
                self._building.start()
            return begins

    def _built(self) -> bool:
        """Whether the index is there, soon enough. Nobody holds the lock meanwhile: others would wait twice as long."""
        if self._building is not None:
            self._building.join(self._patience)
        return self._building is not None and not self._building.is_alive()

    def _build(self) -> None:
        """Nothing is planned in a session whose index cannot be had, and it is said why."""
        try:
            self._index = index(self._project, self._advanced)
        except (StoreError, OSError) as error:
            self._failed = error

    def _advanced(self, done: int, _: str, every: int) -> None:
        self._read = (done, every)

    def _made(self, index: Index, task: Task, room: int) -> Plan:
        steering = steered(task, self._chosen())
        return made(self._project, index, task.words, room, steering, self._purse, ahead=task.ahead)

    def _near(self, made: Plan, task: Task, *, named_only: bool) -> Section:
        found = section(made)
        best = max(file.score for file in made.files)
        named = {file.path for file in made.files if any(reason.signal in NAMED for reason in file.reasons)}
        near = [file.path for file in made.files if file.score >= NEAR * best][:MOST]
        near = [path for path in near if path in named] if named_only else near
        kept, out = [], []
        for chunk in found.chunks:
            if chunk.path not in near:
                out.append(Omission(chunk.path or chunk.id, 0, "bears less on the words"))
                continue
            now = self._files.digest_of(chunk.path)
            if chunk.path in task.whole or self._files.workspace.known(chunk.path) == now:
                out.append(Omission(chunk.path, 0, "stands in the request already"))
            else:
                kept.append(replace(chunk, of=now))
        told = [Omission(f"{found.name}:note", 0, made.note)] if made.note else []
        return replace(found, chunks=tuple(kept), left_out=(*told, *out))


def _none(why: Omission) -> Section:
    return Section("files", Priority.INJECTED, (), "task", "files", (why,))


def steered(task: Task, chosen: Sequence[tuple[str, str]]) -> Steering:
    """How the session and its user steer a plan: files in use, those of these words, and those that were dropped."""
    given = (path for path, choice in chosen if choice != "drop")
    dropped = tuple(path for path, choice in chosen if choice == "drop")
    touched = tuple(dict.fromkeys((*given, *task.files)))
    return Steering(touched, added=tuple(dict.fromkeys(task.named)), dropped=dropped)
