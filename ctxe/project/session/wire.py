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
from ctxe.project.memory.keeping import keeping
from ctxe.project.sandboxing import boxed
from ctxe.project.session.approval_mode import resumed
from ctxe.project.session.attaching import unshown
from ctxe.project.session.checking import Checking
from ctxe.project.session.delegating import Delegating
from ctxe.project.session.fitting import Fitting
from ctxe.project.session.jobs import Telling
from ctxe.project.session.live import Live
from ctxe.project.session.memory.crediting import Crediting
from ctxe.project.session.memory.gating import Gating, Mode
from ctxe.project.session.memory.other_calls import OtherCalls
from ctxe.project.session.memory.remembering import Remembering, SummaryLog
from ctxe.project.session.memory.resuming import Timed, catch_up, changed_since, copied_from
from ctxe.project.session.permit import Permit
from ctxe.project.session.ports import Learning
from ctxe.project.session.rewiring import Rewiring
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
    box = boxed(project, lambda: permit.mode == "auto")
    permit = Permit(project, interactive=opening.interactive, box=lambda: box)
    if opening.mode:
        permit.switch(opening.mode)
    permit.began = permit.mode
    place = Restore(project.git, project.cache / "restore", time.time)
    undo = Undo(place, name, copied_from(log, past), alone=lambda: permit.mode == "auto")
    keeps = keeping(project, name, approved=opening.interactive)
    asks = Delegating(project, permit, opening.tools, lambda: session, lambda: kit.purse)
    only, skills = opening.tools, opening.skills
    kit = kit_for(
        project, keeps, state=lambda: session.state, boxed=box, only=only, skills=skills, ask=asks, mode=permit.now
    )

    lately = changed_since(project.git)
    gating = Gating(Gate(), _mode(project), str(project.root), kit.files.digest_of, changed_since=lately)
    shell = run_command(kit.files.workspace, kit.jobs)
    checking = Checking(
        project.config.checks, project.root, shell, lambda: live.wired.dispatcher, undo.written, kit.jobs
    )
    telling = Telling(kit.jobs, lambda: live.wired.dispatcher)
    fitting = Fitting(project)
    rewire = Rewiring(project, approve, permit, undo, kit, gating, telling, checking, fitting, lambda: session)
    wired = rewire(project.model)
    session = Session(name, log, wired.ports, rebuild(event for _, event in past))
    notices = (*resumed(project, permit, session.state, opening.mode), *permit.notices())
    live = Live(project, session, wired, undo, permit, kit, rewire, telling, fitting, notices)
    telling.fold = session.state.conversation.fold
    session.listeners = (undo, Learning(lambda: live.composer), unshown)
    if project.config.memory.enabled:
        _remember(live, past, gating, keeps.taken)
    return live


def _remember(live: Live, past: Sequence[Timed], gating: Gating, kept: Callable[[], Iterable[Entry]]) -> None:
    """Connect a session to the memory: its past is replayed, and what it meets from now on is saved and credited."""
    from ctxe.knowledge.entries.ports import MemoryPorts
    from ctxe.knowledge.failures.pairing import Watch

    project, name = live.project, live.session.id
    memory = MemoryPorts(project.store, project.counters, gating.digest_of)
    watch = Watch(memory, str(project.root), name, gating.gate)
    remembering = Remembering(memory, watch, name, gating, OtherCalls(watch, gating, name), kept)
    crediting = Crediting(memory)
    catch_up(past, memory, remembering, crediting)
    live.undo.on_undo, live.on_turn_undone = remembering.taken_back, crediting.against
    live.undo.on_redo = partial(remembering.given_back, project.store.forget)
    undo, *others = live.session.listeners
    live.session.listeners = (undo, remembering, SummaryLog(project.store, name), crediting, *others)


def _mode(project: Project) -> Mode:
    return project.config.failures.gate if project.config.memory.enabled else "off"
