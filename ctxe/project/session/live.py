"""A running session with everything around it: what the chat loop and the slash commands may do."""

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
from ctxe.project.session.fitting import Fitting
from ctxe.project.session.mentioning import Asking
from ctxe.project.session.web_pages import Pages
from ctxe.project.window.compose import Composer
from ctxe.project.window.folds import Folds
from ctxe.project.window.gateways import web_of
from ctxe.project.window.past import past
from ctxe.safety.secrets import hide_own
from ctxe.storage.vocabulary import vocabulary

if TYPE_CHECKING:
    from ctxe.project import Project
    from ctxe.project.session.jobs import Telling
    from ctxe.project.session.permit import Permit
    from ctxe.project.session.undo import Undo
    from ctxe.project.window.kit import Kit


@dataclass(frozen=True, slots=True)
class Wired:
    """What depends on the model that answers."""

    folds: Folds
    dispatcher: Dispatcher
    ports: Ports
    summarizer: Summarizer | None


@dataclass(slots=True)
class Live:
    """One session at work. ``rewire`` makes the parts that depend on the model anew, for another one.

    ``against`` is told of a turn that the user took back: the memories it leaned on did harm. ``proposed`` is how many
    memories the session proposed when it was left.
    """

    project: Project
    session: Session
    wired: Wired
    undo: Undo
    permit: Permit
    kit: Kit
    rewire: Callable[[Model], Wired]
    telling: Telling
    fitting: Fitting
    notices: tuple[str, ...] = ()
    against: Callable[[int], Iterator[Event]] = lambda _: iter(())
    proposed: int = 0

    @property
    def composer(self) -> Composer:
        """What composes this session's requests."""
        return self.wired.folds.composer

    @property
    def model(self) -> Model:
        """The model that answers."""
        return self.session.ports.provider.model

    @property
    def seeing(self) -> State:
        """The state as the model that answers will be asked with it: it may see pictures that another does not."""
        return replace(self.session.state, model=self.model.id)

    @property
    def asking(self) -> Asking:
        """What does things with servers at the user's word."""
        return Asking(self.kit.servers, self.wired.dispatcher, lambda: self.session.log.count)

    @property
    def pages(self) -> Pages:
        """What reads pages of the web that the user asks for."""
        session = self.session
        made = web_of(self.project)
        return Pages(
            made, self.kit, self.wired.dispatcher, self.composer.count, lambda: session.state, lambda: session.log.count
        )

    def take(self, model: Model) -> None:
        """Let a model answer from now on."""
        self.wired = self.rewire(model)
        self.session.ports = self.wired.ports

    def without_keys(self, words: str) -> tuple[str, list[Event]]:
        """A user's words less a key of ours in them (pasted, piped in), which goes nowhere, and a line that says so."""
        words, keys = hide_own(words, self.project.own_keys)
        return words, [Notice("your API key was taken out of your words", "warning")] if keys else []

    def ledger(self, words: str = "") -> Ledger:
        """The account of the request that would be sent for these words. Raises BudgetError."""
        return self.composer.preview(words, self.session.state)

    def past(self) -> Past:
        """Every request of this session so far, as its log has them."""
        path = self.session.log.path
        return past(self.project, path) if path.exists() else Past(self.session.id, self.project.root.name)

    def forecast(self, so_far: Past) -> Forecast | None:
        """When the next fold comes and what it and the next request cost, by what the latest steps added."""
        return self.wired.folds.forecast(self.session.state, so_far.grown())

    def took_back(self) -> Iterator[Event]:
        """What the last undo means for the memory."""
        if self.undo.undone:
            for event in self.against(self.undo.undone):
                yield from self.session.emit(event)

    def consulted(self) -> Iterator[Event]:
        """Put into the log what other models were asked since, and paid."""
        for event in self.kit.purse.taken():
            yield from self.session.emit(event)

    def held_skills(self) -> tuple[str, ...]:
        """Domain modules that stand in the next request."""
        return tuple(sorted(self.kit.skills.held().visible.union(self.kit.skills.always)))

    def warm(self) -> None:
        """Load what the first request needs while the user types: SDK, tokenizer, sources, index. In the background."""
        from ctxe.providers.connect import prefetch

        prefetch(self.session.ports.provider)
        threading.Thread(target=self._look_ahead, name="warm", daemon=True).start()

    def _look_ahead(self) -> None:
        """Compose a request that is not sent; whatever is wrong is met, and told, when it is."""
        with contextlib.suppress(Exception):
            vocabulary(vocabulary_of(self.model))
            self.fitting.ahead(self.model)
            to_record(ModelChosen(self.model.id))
            self.composer.preview("warm the planner", self.session.state)  # words that say enough to plan by
