"""Builds the parts of a session that depend on its model, again whenever the model changes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from ctxe.agent.dispatch import Dispatcher
from ctxe.agent.session import Session
from ctxe.agent.state import State
from ctxe.agent.turn import Ports
from ctxe.domain.events import Event
from ctxe.domain.model import Model
from ctxe.domain.tool import Action, Approver
from ctxe.domain.value import dataclass, replace
from ctxe.project.session.approval_mode import announce_mode
from ctxe.project.session.checks import Checks
from ctxe.project.session.jobs import JobNotes
from ctxe.project.session.live import ModelParts
from ctxe.project.session.memory.session_gate import SessionGate
from ctxe.project.session.permit import Permit
from ctxe.project.session.ports import ports_for
from ctxe.project.session.served_window import ServedWindow
from ctxe.project.session.summaries import automatic_summaries, summarizer
from ctxe.project.session.turn_points import TurnPoints
from ctxe.project.window.folds import folds, trimmer
from ctxe.project.window.kit import Kit
from ctxe.project.window.sources import composer

if TYPE_CHECKING:
    from ctxe.project import Project


@dataclass(frozen=True, slots=True)
class PartsFactory:
    """A factory of the model-dependent parts; its fields are the parts that stay."""

    project: Project
    approve: Approver
    permit: Permit
    points: TurnPoints
    kit: Kit
    session_gate: SessionGate
    job_notes: JobNotes
    checks: Checks
    served_window: ServedWindow
    session: Callable[[], Session]

    def __call__(self, model: Model) -> ModelParts:
        """Folds, dispatcher, ports and summarizer for a model. Raises ConfigError."""
        kit, permit, session_gate = self.kit, self.permit, self.session_gate
        composed = composer(self.project, model, kit, self.points.session, lambda: self.session().state.files)
        folding = folds(self.project, composed)
        trim = trimmer(composed.budget.window, composed.count, lambda: self.session().state)
        dispatcher = Dispatcher(
            kit.tools,
            permit.decide,
            self.approve,
            trim,
            kit.clean,
            self._prepare,
            permit.grant,
            session_gate.known_failure,
            session_gate.recognise,
        )
        asked = summarizer(self.project, model, composed, kit.clean)
        ports = replace(
            ports_for(self.project, folding, dispatcher, kit, long_cache=permit.interactive),
            summarize=automatic_summaries(self.project, folding.policy, asked),
            meanwhile=self._meanwhile,
            check=self.checks,
            narrow=partial(self._narrowed, model),
        )
        return ModelParts(folding, dispatcher, ports, asked)

    def _narrowed(self, model: Model, window: int) -> Ports | None:
        """Ports for a window that turned out smaller; None if it is not. The session uses it from the next turn on."""
        if not 0 < window < model.window:
            return None
        self.served_window.set_window(model, window)
        return self(replace(model, window=window)).ports

    def _prepare(self, action: Action) -> None:
        """Prepare for an approved action before it runs: jobs, failure memory and undo."""
        self.kit.jobs.permit(action.paths)
        self.session_gate.note_hashes(action)
        self.points.save_before(action)

    def _meanwhile(self, state: State) -> Iterator[Event]:
        """Events from beside the conversation: mode changes, purchases, jobs."""
        yield from announce_mode(self.permit, state)
        yield from self.kit.allowance.take_purchases()
        yield from self.job_notes.between_steps(state)
