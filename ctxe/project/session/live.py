"""A running session with everything around it: the interface for the chat loop and the slash commands."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from ctxe.agent.dispatch import Dispatcher
from ctxe.agent.log import to_record
from ctxe.agent.session import Session
from ctxe.agent.state import State
from ctxe.agent.summarize import Summarizer
from ctxe.agent.turn import Ports
from ctxe.domain.events import Event, ModelChosen, Notice
from ctxe.domain.ledger import Ledger
from ctxe.domain.model import Model
from ctxe.domain.past import Forecast, Past
from ctxe.domain.value import dataclass, replace
from ctxe.project.models import vocabulary_of
from ctxe.project.session.served_window import ServedWindow
from ctxe.project.session.server_requests import ServerRequests
from ctxe.project.session.web_pages import Pages
from ctxe.project.window.compose import Composer
from ctxe.project.window.folds import Folds
from ctxe.project.window.gateways import web_of
from ctxe.project.window.past import past
from ctxe.safety.secrets import hide_own
from ctxe.storage.vocabulary import vocabulary

if TYPE_CHECKING:
    from ctxe.project import Project
    from ctxe.project.session.jobs import JobNotes
    from ctxe.project.session.permit import Permit
    from ctxe.project.session.undo import Undo
    from ctxe.project.window.kit import Kit


@dataclass(frozen=True, slots=True)
class ModelParts:
    """The parts that depend on the current model."""

    folds: Folds
    dispatcher: Dispatcher
    ports: Ports
    summarizer: Summarizer | None


@dataclass(slots=True)
class Live:
    """One running session. ``parts_for`` makes new model-dependent parts for another model.

    ``on_turn_undone`` is called with a turn that the user undid: the memories it used count as harmful. ``proposed`` is
    the number of memories proposed at the end.
    """

    project: Project
    session: Session
    parts: ModelParts
    undo: Undo
    permit: Permit
    kit: Kit
    parts_for: Callable[[Model], ModelParts]
    job_notes: JobNotes
    served_window: ServedWindow
    notices: tuple[str, ...] = ()
    on_turn_undone: Callable[[int], Iterator[Event]] = lambda _: iter(())
    proposed: int = 0

    @property
    def composer(self) -> Composer:
        """The composer of this session's requests."""
        return self.parts.folds.composer

    @property
    def model(self) -> Model:
        """The session's current model."""
        return self.session.ports.provider.model

    @property
    def current_state(self) -> State:
        """The state with the current model in it, to decide whether pictures can be shown.

        The log, and so the session's own state, notes a change of model only with the next turn.
        """
        return replace(self.session.state, model=self.model.id)

    @property
    def server_requests(self) -> ServerRequests:
        """Requests of the user to servers."""
        return ServerRequests(self.kit.servers, self.parts.dispatcher, lambda: self.session.log.count)

    @property
    def pages(self) -> Pages:
        """Reads web pages for the user."""
        session = self.session
        made = web_of(self.project)
        return Pages(
            made, self.kit, self.parts.dispatcher, self.composer.count, lambda: session.state, lambda: session.log.count
        )

    def use_model(self, model: Model) -> None:
        """Use another model, or the same one with other properties, from now on."""
        self.parts = self.parts_for(model)
        self.session.ports = self.parts.ports

    def without_keys(self, words: str) -> tuple[str, list[Event]]:
        """The user's words without API keys of the environment (pasted, piped in), and a notice if there were any."""
        words, keys = hide_own(words, self.project.own_keys)
        return words, [Notice("your API key was taken out of your words", "warning")] if keys else []

    def ledger(self, words: str = "") -> Ledger:
        """The ledger of the request that these words would send. Raises BudgetError."""
        return self.composer.preview(words, self.session.state)

    def past(self) -> Past:
        """Every request of this session so far, read from its log."""
        path = self.session.log.path
        return past(self.project, path) if path.exists() else Past(self.session.id, self.project.root.name)

    def forecast(self, so_far: Past) -> Forecast | None:
        """When the next fold comes and what it and the next request cost, judged by the growth of the latest steps."""
        return self.parts.folds.forecast(self.session.state, so_far.growth())

    def discredit_undone_turn(self) -> Iterator[Event]:
        """Count the memories used by the undone turn as harmful."""
        if self.undo.undone:
            for event in self.on_turn_undone(self.undo.undone):
                yield from self.session.emit(event)

    def log_purchases(self) -> Iterator[Event]:
        """Log what other models were asked and paid since the last call."""
        for event in self.kit.allowance.take_purchases():
            yield from self.session.emit(event)

    def loaded_skills(self) -> tuple[str, ...]:
        """Names of the skills in the next request, sorted."""
        return tuple(sorted(self.kit.skills.held().visible.union(self.kit.skills.always)))

    def warm_up(self) -> None:
        """Load what the first request needs in the background while the user types: SDK, tokenizer, sources, index."""
        from ctxe.providers.connect import prefetch

        prefetch(self.session.ports.provider)
        threading.Thread(target=self._look_ahead, name="warm", daemon=True).start()

    def _look_ahead(self) -> None:
        """Compose a request that is not sent. Errors are ignored: the real request meets and reports them."""
        with contextlib.suppress(Exception):
            vocabulary(vocabulary_of(self.model))
            self.served_window.ask_ahead(self.model)
            to_record(ModelChosen(self.model.id))
            self.composer.preview("warm the planner", self.session.state)  # words that are enough to plan by
