"""The loop: one turn from the user's words to the answer. It owns no disk, no screen and no policy."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Sequence

from ctxe.agent import endings
from ctxe.agent.limits import Limits, circle_note, stuck_reason
from ctxe.agent.state import State
from ctxe.context.assemble import Assembled
from ctxe.domain.closing import closed_at_end
from ctxe.domain.conversation import Fold, Reply, ToolCall
from ctxe.domain.errors import ContextOverflow
from ctxe.domain.events import (
    ContextAssembled,
    EpochStarted,
    Event,
    Folded,
    Noted,
    Notice,
    ReplyReceived,
    StepFinished,
    TurnFinished,
    TurnStarted,
)
from ctxe.domain.model import Billed, Provider
from ctxe.domain.section import Chunk, Section
from ctxe.domain.value import dataclass, field


@dataclass(frozen=True, slots=True)
class Ports:
    """What the loop may use, each a plain callable, so that it depends on no part behind it.

    ``standing`` and ``gather`` offer sections; ``freshen`` gives what changed since the model saw it. ``fold`` gives a
    smaller history (``cause`` "" asks whether one is due, any other demands one). ``compose`` builds the next request.
    ``dispatch`` runs one call and ends in ToolFinished. ``summarize`` asks a model for a summary where one is wanted:
    at a fold (its cause) or between steps (""). ``meanwhile`` gives what happened beside the conversation: other models
    were asked, jobs ended. ``check`` inspects a step before the model is told what changed; it returns True when the
    model must go on. ``count`` counts the tokens of a text. ``narrow`` gives the ports for a window that the provider
    says is smaller (in tokens), or None.
    """

    provider: Provider
    standing: Callable[[State], tuple[Section, ...]]
    gather: Callable[[str, State], tuple[Section, ...]]
    freshen: Callable[[State], Sequence[Chunk]]
    fold: Callable[[State, str], Fold | None]
    compose: Callable[[State], Assembled]
    dispatch: Callable[[ToolCall, State], Iterator[Event]]
    limits: Limits
    summarize: Callable[[State, str], Iterator[Event]] = field(default=lambda _, __: iter(()))
    meanwhile: Callable[[State], Iterator[Event]] = field(default=lambda _: iter(()))
    count: Callable[[str], int] = field(default=len)
    check: Callable[[State], Generator[Event, None, bool]] = field(default=lambda _: no_check())
    narrow: Callable[[int], Ports | None] = field(default=lambda _: None)


NextWords = Callable[[], Generator[Event, None, str]]
"""Returns what the user has said since the last call; empty when nothing."""


def no_more_words() -> Generator[Event, None, str]:
    """The user says nothing while the model works."""
    yield from ()
    return ""


def no_check() -> Generator[Event, None, bool]:
    """Nothing is checked."""
    yield from ()
    return False


def run_turn(words: str, now: Callable[[], State], ports: Ports, more: NextWords = no_more_words) -> Iterator[Event]:
    """One turn as events; ``now`` gives the state after every event yielded so far.

    Words that the user adds meanwhile (``more``) begin a turn of their own between two steps; no work is lost. Raises
    ProviderError and BudgetError; the caller closes the turn.
    """
    following = yield from _turn(words, now, ports, more)
    while following:
        following = yield from _turn(following, now, ports, more)


def _turn(words: str, now: Callable[[], State], ports: Ports, more: NextWords) -> Generator[Event, None, str]:
    """Run until the answer, a limit, or the user's next words, which are returned ("" otherwise)."""
    if now().standing is None:
        yield EpochStarted(ports.standing(now()))
    yield TurnStarted(words, ports.gather(words, now()))
    cut = 0
    for number in range(1, ports.limits.steps + 1):
        yield from ports.meanwhile(now())
        if why := ports.limits.cost_limit_reason(now(), ports.provider.model.prices):
            yield TurnFinished("cost limit", why=why)
            return ""
        reply, ports = yield from _reply(now, ports)
        for call in reply.calls:
            yield from ports.dispatch(call, now())
        yield StepFinished(number)
        if ending := endings.warning_of(reply):
            yield Notice(ending, "warning")
        again = yield from ports.check(now())
        cut = cut + 1 if reply.dropped else 0
        if hopeless := endings.TOO_LONG if cut == endings.PATIENCE else stuck_reason(now()):
            yield TurnFinished("failed", why=hopeless)
            return ""
        if not (reply.calls or cut or again):
            yield TurnFinished("answered")
            return ""
        notes = [*ports.freshen(now()), *filter(None, [circle_note(now()), endings.dropped_calls_note(reply)])]
        if notes:
            yield Noted(tuple(notes))
        if following := (yield from more()):
            yield TurnFinished("steered")
            return following
    yield TurnFinished("step limit", why=f"{ports.limits.steps} model calls in one turn")
    return ""


def _reply(now: Callable[[], State], ports: Ports) -> Generator[Event, None, tuple[Reply, Ports]]:
    """Fold if that is due, and send; if the provider finds the request too long, force a fold and send once more.

    Returns the reply and the ports to go on with, which change when the window turns out to be smaller.
    """
    yield from ports.summarize(now(), "")
    yield from _fold(now, ports, "")
    try:
        return (yield from _ask(now, ports)), ports
    except ContextOverflow as error:
        yield Notice("the provider says the context is too long: folding and asking once more", "warning")
        ports = ports.narrow(error.window) or ports
        yield from _fold(now, ports, "overflow")
        return (yield from _ask(now, ports)), ports


def _fold(now: Callable[[], State], ports: Ports, cause: str) -> Iterator[Event]:
    """Fold if that is due, or if ``cause`` demands it. A summary written for the fold makes it fold again, with it."""
    if (fold := ports.fold(now(), cause)) is None:
        return
    known = now().summary
    yield from ports.summarize(now(), fold.cause)
    if now().summary != known:
        fold = ports.fold(now(), cause) or fold
    yield Folded(fold)
    yield EpochStarted(ports.standing(now()))


def _ask(now: Callable[[], State], ports: Ports) -> Generator[Event, None, Reply]:
    """Send one request and return its reply; leaving early closes the stream."""
    assembled = ports.compose(now())
    yield ContextAssembled(assembled.ledger)
    before, began = now().usd, time.monotonic()
    billed: float | None = None
    stream = ports.provider.stream(assembled.request)
    with closed_at_end(stream):
        for item in stream:
            if not isinstance(item, Reply):
                billed = item.usd if isinstance(item, Billed) else billed
                yield item
                continue
            prices = ports.provider.model.prices
            usd = prices.cost(item.usage) if billed is None and prices and item.usage else billed
            yield ReplyReceived(item, usd, time.monotonic() - began)
            if warning := ports.limits.cost_warning(before, before + (usd or 0.0)):
                yield Notice(warning, "warning")
            return item
    raise RuntimeError("a provider's stream ended without a reply")
