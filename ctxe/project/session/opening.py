"""Opens a session, new, resumed or forked; wires its parts together and closes it properly whatever happens."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from ctxe.agent.session import close_on_exit
from ctxe.domain.events import Notice
from ctxe.domain.tool import Approver
from ctxe.project.session.asides import choose_file, load_skill
from ctxe.project.session.jobs import ended_lines, ended_with_session, logged_jobs
from ctxe.project.session.live import Live
from ctxe.project.session.memory.log_replay import Timed
from ctxe.project.session.notices import of_project, of_session
from ctxe.project.session.opened_log import mark_as_own, open_log
from ctxe.project.session.proposals import propose_memories
from ctxe.project.session.wire import wire
from ctxe.project.session_options import Opening

if TYPE_CHECKING:
    from ctxe.project import Project


@contextlib.contextmanager
def open_session(project: Project, opening: Opening, approve: Approver) -> Iterator[Live]:
    """A session that is ready to talk. Its log stays locked against other processes until it is closed.

    Raises ConfigError, SessionError, StoreError.
    """
    with contextlib.ExitStack() as stack:
        opened = open_log(project, opening, stack)
        live = wire(project, opening, opened.log, opened.past, approve)
        stack.callback(live.kit.servers.close)
        stack.callback(live.kit.jobs.close)
        stack.enter_context(close_on_exit(live.session))
        live.notices = (*live.notices, *opened.notices, *of_project(live))
        _close_past(live, opened.past)
        _load_chosen(live, opening)
        yield live
        live.composer.save()
        propose_memories(live)
        if opened.log.path.exists():  # mark it again: the cache may have been removed (`git clean -fdx`)
            mark_as_own(project, opened.log.path)


def _close_past(live: Live, past: Sequence[Timed]) -> None:
    """End the turn and the jobs that were running when the session was last left, and tell about the jobs."""
    _exhaust(live.session.close("interrupted"))
    jobs = logged_jobs(event for _, event in past)
    live.kit.jobs.last_number = jobs.highest
    for event in ended_with_session(jobs.running):
        _exhaust(live.session.emit(event))
    live.notices = (*live.notices, *of_session(live), *ended_lines(jobs.running))


def _load_chosen(live: Live, opening: Opening) -> None:
    """Take the files and skills that the user named when opening the session."""
    for path, choice in opening.files:
        lines = [event.text for event in choose_file(live, path, choice) if isinstance(event, Notice)]
        live.notices = (*live.notices, *lines)
    if live.session.state.standing is not None:
        for name in opening.skills:  # standing sections are fixed: they come with the next words
            _exhaust(load_skill(live, name))


def _exhaust(events: Iterable[object]) -> None:
    """Let a generator do its work; its events are not shown."""
    for _ in events:
        pass
