"""Opens the log of a session, new, resumed or copied, and tells the user's own logs from somebody else's."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ctxe.agent.log import Log, header_of, read_timed
from ctxe.domain.errors import SessionError, StoreError
from ctxe.domain.events import TurnStarted
from ctxe.domain.value import dataclass
from ctxe.project.clock import now, session_id
from ctxe.project.session.memory.log_replay import Timed
from ctxe.project.session_options import Opening
from ctxe.project.sessions import is_private, path_of
from ctxe.storage.files import replace_quickly

if TYPE_CHECKING:
    from ctxe.project import Project

NOT_OURS = "was not begun here by you: its words may be somebody else's"


@dataclass(frozen=True, slots=True)
class OpenedLog:
    """The log to append to, its events so far, and notices for the user."""

    log: Log
    past: Sequence[Timed] = ()
    notices: Sequence[str] = ()


def open_log(project: Project, opening: Opening, stack: contextlib.ExitStack) -> OpenedLog:
    """The log of a new, resumed or copied session, locked.

    Raises SessionError for the log of a delegate and for one that may be somebody else's.
    """
    folder = project.place.sessions
    if project.place.writable:
        project.store.prepare()
    if not (opening.resume or opening.newest):
        return OpenedLog(_claimed(project, Log.create(folder, session_id(), project.root.name, now), stack))
    path = path_of(folder, opening.resume)
    if parent := header_of(path).get("parent"):
        raise SessionError(
            f"{path.stem} belongs to a delegate and is over", f"`ctxe sessions show {path.stem}`, or -r {parent}"
        )
    _check_origin(project, path)
    foreign = [] if _was_opened_here(project, path) else [f"session {path.stem} {NOT_OURS}"]
    mark_as_own(project, path)
    if opening.fork:
        events, notices, _ = read_timed(path)
        events = _before(events, opening.before)
        copy = Log.create(folder, session_id(), project.root.name, now, fork=path.stem, copied=len(events))
        copy.copy_events(events)
        return OpenedLog(_claimed(project, copy, stack), events, [*foreign, *notices])
    _lock(project, path, stack)
    events, notices, last = read_timed(path)
    log = Log(path, now, last)
    log.open_file()
    return OpenedLog(log, events, [*foreign, *notices])


def _before(events: list[Timed], turn: int) -> list[Timed]:
    """The events before turn ``turn`` (from 1); all of them for 0."""
    turns = 0
    for number, (_, event) in enumerate(events):
        turns += isinstance(event, TurnStarted)
        if turn and turns == turn:
            return events[:number]
    return events


def _claimed(project: Project, log: Log, stack: contextlib.ExitStack) -> Log:
    """A new log, locked and marked as this user's own."""
    _lock(project, log.path, stack)
    mark_as_own(project, log.path)
    return log


def _check_origin(project: Project, path: Path) -> None:
    """Refuse a log that came with a repository: its text would pass for our rules and the user's words.

    Raises SessionError.
    """
    if not is_private(path) or project.git.output("ls-files", "--", str(path)):
        hint = f"if it is yours, take it out of git and `chmod 600 {path}`"
        raise SessionError(f"session {path.stem} may be somebody else's: it is in git or others can read it", hint)


def _was_opened_here(project: Project, path: Path) -> bool:
    """Whether this user's ctxe had this session open before. Archives can contain private logs, too."""
    return _own_mark(project, path).exists()


def mark_as_own(project: Project, path: Path) -> None:
    """Note that this user's ctxe had this session open."""
    mark = _own_mark(project, path)
    if not mark.exists():
        replace_quickly(mark, b"")


def _own_mark(project: Project, path: Path) -> Path:
    return project.own_cache / "begun" / path.stem


def _lock(project: Project, path: Path, stack: contextlib.ExitStack) -> None:
    """Lock a log against other processes. Raises SessionError when it is open elsewhere."""
    from ctxe.storage.locks import lock

    try:
        stack.enter_context(lock(project.place.cache / "sessions" / path.stem, seconds=0.0))
    except StoreError as error:
        if "in use" not in error.message:
            raise
        raise SessionError(
            f"session {path.stem} is open elsewhere", f"--fork {path.stem} goes on in a copy, -r picks another"
        ) from None
