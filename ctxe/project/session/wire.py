"""Wires a session: puts model, tools, permissions, sources and listeners together into one Live."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from ctxe.agent.log import Log
from ctxe.agent.session import Session
from ctxe.agent.transitions import rebuild
from ctxe.domain.tool import Approver
from ctxe.knowledge.failures.gate import Gate
from ctxe.project.memory.writer import memory_writer
from ctxe.project.sandbox import sandbox_for
from ctxe.project.session.approval_mode import restore_mode
from ctxe.project.session.attachments import not_shown_notices
from ctxe.project.session.checks import Checks
from ctxe.project.session.delegates import Delegates
from ctxe.project.session.jobs import JobNotes
from ctxe.project.session.live import Live
from ctxe.project.session.memory.log_replay import Timed, catch_up, changed_since, copied_from
from ctxe.project.session.memory.memory_credits import MemoryCredits
from ctxe.project.session.memory.memory_listener import MemoryListener, SummaryLog
from ctxe.project.session.memory.other_calls import OtherCalls
from ctxe.project.session.memory.session_gate import Mode, SessionGate
from ctxe.project.session.model_parts import PartsFactory
from ctxe.project.session.permit import Permit
from ctxe.project.session.ports import TokenCalibration
from ctxe.project.session.served_window import ServedWindow
from ctxe.project.session.turn_points import TurnPoints
from ctxe.project.session.undo import Undo
from ctxe.project.window.kit import kit_for
from ctxe.repo.undo.points import Restore
from ctxe.tools.shell import run_command

if TYPE_CHECKING:
    from ctxe.knowledge.entries.entry import Entry
    from ctxe.project import Project
    from ctxe.project.session_options import Opening


def wire(project: Project, opening: Opening, log: Log, past: Sequence[Timed], approve: Approver) -> Live:
    """A session with all its parts, in the state its log left it. Raises ConfigError."""
    name = log.path.stem
    sandbox = sandbox_for(project, lambda: permit.mode == "auto")
    permit = Permit(project, interactive=opening.interactive, sandbox=lambda: sandbox)
    if opening.mode:
        permit.switch(opening.mode)
    permit.first_mode = permit.mode
    place = Restore(project.git, project.cache / "restore", time.time)
    points = TurnPoints(place, name, alone=lambda: permit.mode == "auto")
    undo = Undo(points, copied_from(log, past))
    keeps = memory_writer(project, name, approved=opening.interactive)
    asks = Delegates(project, permit, opening.tools, lambda: session, lambda: kit.allowance)
    kit = kit_for(
        project,
        keeps,
        state=lambda: session.state,
        sandbox=sandbox,
        only=opening.tools,
        skills=opening.skills,
        ask=asks,
        mode=permit.current_mode,
    )

    lately = changed_since(project.git)
    session_gate = SessionGate(Gate(), _mode(project), str(project.root), kit.files.digest_of, changed_since=lately)
    shell = run_command(kit.files.workspace, kit.jobs)
    checks = Checks(
        project.config.checks, project.root, shell, lambda: live.parts.dispatcher, points.written_paths, kit.jobs
    )
    job_notes = JobNotes(kit.jobs, lambda: live.parts.dispatcher)
    served_window = ServedWindow(project)
    parts_for = PartsFactory(
        project, approve, permit, points, kit, session_gate, job_notes, checks, served_window, lambda: session
    )
    parts = parts_for(project.model)
    session = Session(name, log, parts.ports, rebuild(event for _, event in past))
    notices = (*restore_mode(project, permit, session.state, opening.mode), *permit.notices())
    live = Live(project, session, parts, undo, permit, kit, parts_for, job_notes, served_window, notices)
    job_notes.fold = session.state.conversation.fold
    session.listeners = (points, TokenCalibration(lambda: live.composer), not_shown_notices)
    if project.config.memory.enabled:
        _remember(live, past, session_gate, keeps.take_new)
    return live


def _remember(
    live: Live, past: Sequence[Timed], session_gate: SessionGate, take_new: Callable[[], Iterable[Entry]]
) -> None:
    """Connect a session to the memory: its past is replayed, and what it meets from now on is saved and credited."""
    from ctxe.knowledge.entries.ports import MemoryPorts
    from ctxe.knowledge.failures.pairing import Watch

    project, name = live.project, live.session.id
    memory = MemoryPorts(project.store, project.counters, session_gate.digest_of)
    watch = Watch(memory, str(project.root), name, session_gate.gate)
    listener = MemoryListener(memory, watch, name, session_gate, OtherCalls(watch, session_gate, name), take_new)
    memory_credits = MemoryCredits(memory)
    catch_up(past, memory, listener, memory_credits)
    live.undo.on_undo, live.on_turn_undone = listener.handle_undo, memory_credits.discredit_turn
    live.undo.on_redo = partial(listener.handle_redo, project.store.forget)
    points, *others = live.session.listeners
    live.session.listeners = (points, listener, SummaryLog(project.store, name), memory_credits, *others)


def _mode(project: Project) -> Mode:
    return project.config.failures.gate if project.config.memory.enabled else "off"
