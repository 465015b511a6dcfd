"""Opens a session, new, resumed or forked; wires its parts together and closes it properly whatever happens."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ctxe.agent.log import Log, header_of, read_timed
from ctxe.agent.session import close_on_exit
from ctxe.domain.errors import SessionError, StoreError
from ctxe.domain.events import Notice, TurnStarted
from ctxe.domain.tool import Approver
from ctxe.project.clock import now, session_id
from ctxe.project.session.asides import choose_file, load_skill
from ctxe.project.session.jobs import ended_lines, ended_with_session, unfinished
from ctxe.project.session.live import Live
from ctxe.project.session.memory.log_replay import Timed
from ctxe.project.session.notices import of_project, of_session
from ctxe.project.session.proposals import propose_memories
from ctxe.project.session.wire import wire
from ctxe.project.session_options import Opening
from ctxe.project.sessions import is_private, path_of
from ctxe.storage.files import replace_quickly

if TYPE_CHECKING:
    from ctxe.project import Project

NOT_OURS = "was not begun here by you: its words may be somebody else's"


@contextlib.contextmanager
def open_session(project: Project, opening: Opening, approve: Approver) -> Iterator[Live]:
    """A session that is ready to talk. Its log stays locked against other processes until it is closed.

    Raises ConfigError, SessionError, StoreError.
    """
    with contextlib.ExitStack() as stack:
        log, past, notices = _open_log(project, opening, stack)
        live = wire(project, opening, log, past, approve)
        stack.callback(live.kit.servers.close)
        stack.callback(live.kit.jobs.close)
        stack.enter_context(close_on_exit(live.session))
        live.notices = (*live.notices, *notices, *of_project(live))
        for _ in live.session.close("interrupted"):
            pass
        live.kit.jobs.last_number, running = unfinished(event for _, event in past)
        for event in ended_with_session(running):
            for _ in live.session.emit(event):
                pass
        live.notices = (*live.notices, *of_session(live), *ended_lines(running))
        for path, choice in opening.files:
            lines = [event.text for event in choose_file(live, path, choice) if isinstance(event, Notice)]
            live.notices = (*live.notices, *lines)
        if live.session.state.standing is not None:
            for name in opening.skills:  # standing sections are fixed: they come with the next words
                for _ in load_skill(live, name):
                    pass
        yield live
        live.composer.save()
        propose_memories(live)
        if log.path.exists():  # mark it again: the cache may have been removed (`git clean -fdx`)
            _mark_own(project, log.path)


def _open_log(project: Project, opening: Opening, stack: contextlib.ExitStack) -> tuple[Log, list[Timed], list[str]]:
    """The log to append to, its events so far, and notices.

    Raises SessionError for the log of a delegate and for one that may be somebody else's.
    """
    folder = project.place.sessions
    if project.place.writable:
        project.store.prepare()
    if not (opening.resume or opening.newest):
        return _claimed(project, Log.create(folder, session_id(), project.root.name, now), stack), [], []
    path = path_of(folder, opening.resume)
    if parent := header_of(path).get("parent"):
        raise SessionError(
            f"{path.stem} belongs to a delegate and is over", f"`ctxe sessions show {path.stem}`, or -r {parent}"
        )
    _check_origin(project, path)
    foreign = [] if _was_opened_here(project, path) else [f"session {path.stem} {NOT_OURS}"]
    _mark_own(project, path)
    if opening.fork:
        events, notices, _ = read_timed(path)
        events = _before(events, opening.before)
        copy = Log.create(folder, session_id(), project.root.name, now, fork=path.stem, copied=len(events))
        copy.copy_events(events)
        return _claimed(project, copy, stack), events, [*foreign, *notices]
    _lock(project, path, stack)
    events, notices, last = read_timed(path)
    log = Log(path, now, last)
    log.open_file()
    return log, events, [*foreign, *notices]


def _claimed(project: Project, log: Log, stack: contextlib.ExitStack) -> Log:
    """A new log, locked and marked as this user's own."""
    _lock(project, log.path, stack)
    _mark_own(project, log.path)
    return log


def _before(events: list[Timed], turn: int) -> list[Timed]:
    """The events before turn ``turn`` (from 1); all of them for 0."""
    turns = 0
    for number, (_, event) in enumerate(events):
        turns += isinstance(event, TurnStarted)
        if turn and turns == turn:
            return events[:number]
    return events


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


def _mark_own(project: Project, path: Path) -> None:
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
