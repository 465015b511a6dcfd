"""Builds the ports of the agent loop for one conversation: model, sources, folds and tools."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from ctxe.agent.dispatch import Dispatcher
from ctxe.agent.event_stream import map_events
from ctxe.agent.limits import Limits
from ctxe.agent.state import State
from ctxe.agent.turn import Ports
from ctxe.context.budget import birth_limit
from ctxe.domain.events import Event, Folded, ModelChosen, ReplyReceived
from ctxe.domain.value import dataclass
from ctxe.project.allowance import Allowance
from ctxe.project.models import connect
from ctxe.project.window.compose import Composer
from ctxe.project.window.folds import Folds
from ctxe.project.window.freshness import change_notes
from ctxe.project.window.kit import Kit
from ctxe.project.window.offline import offline_answer
from ctxe.project.window.pictures import with_saved_pictures
from ctxe.project.window.sources import scoped_rules

if TYPE_CHECKING:
    from ctxe.project import Project


def ports_for(project: Project, folding: Folds, dispatcher: Dispatcher, kit: Kit, *, long_cache: bool = False) -> Ports:
    """The ports of the agent loop for a conversation in this project. Raises ConfigError when the model has no key.

    ``long_cache`` is for people, who pause longer than the five minutes a prompt cache lives; programs do not.
    """
    composed = folding.composer
    limits, rules = project.config.budget, scoped_rules(project, composed)
    room = birth_limit("read", composed.budget.window)

    def news(path: str, before: str, whole: bool) -> str:
        return kit.files.news(path, before, room, composed.count, whole=whole)

    return Ports(
        connect(project, composed.model, lambda words, _: offline_answer(project, words), long_cache=long_cache),
        composed.standing,
        lambda words, state: with_saved_pictures(project, composed.gather(words, state)),
        lambda state: [
            *change_notes(state, kit.files.digest_of, news),
            *kit.servers.news(),
            *rules(state),
            *folding.restore(state),
        ],
        folding.fold,
        composed.compose,
        lambda call, _: _paying(kit.allowance, dispatcher(call)),
        Limits(limits.max_steps, limits.max_cost),
        meanwhile=lambda _: kit.allowance.take_purchases(),
        count=composed.count,
    )


def _paying(allowance: Allowance, events: Iterator[Event]) -> Iterator[Event]:
    """The events of a call. What the call bought is logged at once, so that no kill makes money disappear."""

    def paid(event: Event) -> Iterator[Event]:
        yield from allowance.take_purchases()
        yield event

    try:
        yield from map_events(events, paid)
    except KeyboardInterrupt:
        yield from allowance.take_purchases()
        raise
    yield from allowance.take_purchases()


CUT = "interrupted"
"""Stop reason of an interrupted answer, whose usage may be only our own count."""


@dataclass(frozen=True, slots=True)
class TokenCalibration:
    """Learns from the provider's token counts and applies them from the next epoch on."""

    composer: Callable[[], Composer]

    def __call__(self, event: Event, state: State) -> tuple[Event, ...]:
        """Take in one event; always returns nothing."""
        ledger = state.ledger if not state.conversation.pictures() else None  # a picture's share is unknown
        if isinstance(event, ReplyReceived) and event.reply.usage and ledger and event.reply.stop != CUT:
            self.composer().learn(ledger, event.reply.usage)
        elif isinstance(event, Folded | ModelChosen):
            self.composer().settle()
        return ()
