"""Opening a session: new, resumed or forked; everything wired together, and closed properly whatever happens."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ctxe.agent.limits import WARN_AT
from ctxe.agent.log import Log, header_of, read_timed
from ctxe.agent.session import closed_properly
from ctxe.domain.errors import SessionError, StoreError
from ctxe.domain.events import Notice, TurnStarted
from ctxe.domain.tool import Approver
from ctxe.project.clock import now, session_id
from ctxe.project.flags import Opening
from ctxe.project.models import tells_price
from ctxe.project.place import person
from ctxe.project.session.asides import choose_file, load_skill
from ctxe.project.session.fitting import narrower
from ctxe.project.session.jobs import gone, left, words
from ctxe.project.session.live import Live
from ctxe.project.session.resuming import Timed
from ctxe.project.session.wire import wire
from ctxe.project.sessions import is_private, path_of
from ctxe.safety.display import one_line
from ctxe.storage.files import replace_quickly

if TYPE_CHECKING:
    from ctxe.project import Project

NOT_OURS = "was not begun here by you: its words may be somebody else's"


@contextlib.contextmanager
def open_session(project: Project, opening: Opening, approve: Approver) -> Iterator[Live]:
    """A session that is ready to talk; its log is locked against other processes meanwhile.

    Raises ConfigError, SessionError, StoreError.
    """
    from ctxe.project.window.sources import told_at_start

    with contextlib.ExitStack() as stack:
        log, past, notices = _logged(project, opening, stack)
        live = wire(project, opening, log, past, approve)
        stack.callback(live.kit.servers.close)
        stack.callback(live.kit.jobs.close)
        stack.enter_context(closed_properly(live.session))
        live.notices = (
            *live.notices,
            *notices,
            *narrower(project, live.model),
            *_refusals(project),
            *_no_project(project),
            *_no_history(project),
            *told_at_start(project, live.kit, live.composer.count),
        )
        for _ in live.session.close("interrupted"):
            pass
        live.kit.jobs.taken, running = left(event for _, event in past)
        for event in gone(running):
            for _ in live.session.emit(event):
                pass
        live.notices = (*live.notices, *_model_change(live), *_money(live), *words(running))
        for path, choice in opening.files:
            told = [event.text for event in choose_file(live, path, choice) if isinstance(event, Notice)]
            live.notices = (*live.notices, *told)
        if live.session.state.standing is not None:
            for name in opening.skills:  # what stands is fixed until the next fold, so they come with the next words
                for _ in load_skill(live, name):
                    pass
        yield live
        live.settle()
        _leave(project, live)
        if log.path.exists():  # it is still ours where the cache was removed meanwhile (`git clean -fdx`)
            _ours(project, log.path)


def _logged(project: Project, opening: Opening, stack: contextlib.ExitStack) -> tuple[Log, list[Timed], list[str]]:
    """The log to append to, and what it says so far."""
    folder = project.place.sessions
    if project.place.writable:
        project.store.prepare()
    if not (opening.resume or opening.newest):
        fresh = Log.create(folder, session_id(), project.root.name, now)
        _hold(project, fresh.path, stack)
        _ours(project, fresh.path)
        return fresh, [], []
    path = path_of(folder, opening.resume)
    if parent := header_of(path).get("parent"):
        raise SessionError(f"{path.stem} is a delegate's and over", f"`ctxe sessions show {path.stem}`, or -r {parent}")
    _check_origin(project, path)
    foreign = [] if _ours(project, path) else [f"session {path.stem} {NOT_OURS}"]
    if opening.fork:
        events, notices, _ = read_timed(path)
        events = _until(events, opening.before)
        copy = Log.create(folder, session_id(), project.root.name, now, fork=path.stem, copied=len(events))
        copy.begin(events)
        _hold(project, copy.path, stack)
        _ours(project, copy.path)
        return copy, events, [*foreign, *notices]
    _hold(project, path, stack)
    events, notices, last = read_timed(path)
    log = Log(path, now, last)
    log.hold()
    return log, events, [*foreign, *notices]


def _until(events: list[Timed], turn: int) -> list[Timed]:
    """The events before a turn (from 1) began; all of them for 0."""
    begun = 0
    for number, (_, event) in enumerate(events):
        begun += isinstance(event, TurnStarted)
        if turn and begun == turn:
            return events[:number]
    return events


def _check_origin(project: Project, path: Path) -> None:
    """A log that came with a repository is refused: what it says would pass for our rules and the user's words."""
    if not is_private(path) or project.git.output("ls-files", "--", str(path)):
        hint = f"if it is yours, take it out of git and `chmod 600 {path}`"
        raise SessionError(f"session {path.stem} may be somebody else's: it is in git or others can read it", hint)


def _ours(project: Project, path: Path) -> bool:
    """Whether this user's ctxe knew of a session here; from now on it does. Archives can bring private logs."""
    mark = project.own_cache / "begun" / path.stem
    known = mark.exists()
    if not known:
        replace_quickly(mark, b"")
    return known


def _leave(project: Project, live: Live) -> None:
    """Propose what the session taught; a memory folder that cannot be written was told of already.

    What sessions that were killed left half-written in the cache goes.
    """
    from ctxe.project.session.leaving import learnt
    from ctxe.storage.locks import sweep

    sweep(project.cache)
    if project.config.memory.enabled:
        with contextlib.suppress(StoreError):
            for draft in learnt(project, live.session.state.conversation, live.session.id, live.kit.purse):
                with contextlib.suppress(StoreError):  # one that is refused keeps no other from being proposed
                    project.store.add(draft)
                    live.proposed += 1
    for bought in live.kit.purse.taken():
        for _ in live.session.emit(bought):
            pass


def _hold(project: Project, path: Path, stack: contextlib.ExitStack) -> None:
    """Keep other processes from appending to the same log."""
    from ctxe.storage.locks import lock

    try:
        stack.enter_context(lock(project.place.cache / "sessions" / path.stem, seconds=0.0))
    except StoreError as error:
        if "in use" not in error.message:
            raise
        raise SessionError(
            f"session {path.stem} is open elsewhere", f"--fork {path.stem} goes on in a copy, -r picks another"
        ) from None


def _money(live: Live) -> list[str]:
    """A line for the user when a limit of money is near, passed, or cannot be held for want of a price."""
    limit, spent = live.project.config.budget.max_cost, live.session.state.usd
    if not limit:
        return []
    if live.model.prices is None and not tells_price(live.model):
        return [f"budget.max_cost holds nothing back: no price of {live.model.id} is known"]
    more = "; a higher --max-cost goes on" if spent >= limit else ""
    return [f"${spent:.4f} of ${limit:.2f} spent{more}"] if spent >= WARN_AT * limit else []


def _model_change(live: Live) -> list[str]:
    """A line for the user when another model answers than before; the log notes it with the next turn."""
    before, effort = live.session.state.model, live.session.state.effort
    told = [f"the model was {before}; now it is {live.model.id}"] if before and before != live.model.id else []
    if before and effort != live.model.effort:
        told.append(f"the effort was {effort or 'the default'}; now it is {live.model.effort or 'the default'}")
    return told


def _no_project(project: Project) -> list[str]:
    """A line for who started in a folder that holds everything they have."""
    if str(project.root) not in (os.path.realpath(project.environment.get("HOME", "/")), "/"):
        return []
    return [f"{project.root} is no project: all of it is searched and planned from; start in a project's folder, or -C"]


def _refusals(project: Project) -> list[str]:
    return [f"not followed: {line}" for line in project.loaded.refused]


def _no_history(project: Project) -> list[str]:
    """A line for who works in a repository of somebody else's, about which git answers nothing."""
    places = (project.root, project.root / ".git")
    if not project.place.git or all(place.stat().st_uid == person() for place in places):
        return []
    why = project.git.refusal()
    return [f"no history and no /commit here: git refuses this repository ({one_line(why)})"] if why else []
