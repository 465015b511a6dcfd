"""A session: logs the loop's events, applies them to the state, shows them and passes them to listeners."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Generator, Iterable, Iterator

from ctxe.agent.event_stream import map_events
from ctxe.agent.log import Log
from ctxe.agent.meter import Meter
from ctxe.agent.state import State
from ctxe.agent.transitions import apply, closing_events
from ctxe.agent.turn import NextWords, Ports, no_more_words, run_turn
from ctxe.domain.conversation import Outcome, Usage
from ctxe.domain.errors import CtxeError, StoreError
from ctxe.domain.events import EffortChosen, Event, Kept, ModelChosen, Notice, TurnFinished
from ctxe.domain.value import dataclass, field, replace

Listener = Callable[[Event, State], Iterable[Event]]
"""Receives every kept event with the state after it. The events it returns are kept and shown too, but not passed to
listeners again.
"""


@dataclass(slots=True)
class Session:
    """One conversation with its log. ``listeners`` keep memory, failures and counts; the loop knows none of them."""

    id: str
    log: Log
    ports: Ports
    state: State = field(default_factory=State)
    listeners: tuple[Listener, ...] = ()
    meter: Meter = field(default_factory=lambda: Meter(len))
    unlogged: str = ""
    usd_before: float = 0.0
    began: float = 0.0

    def turn(self, words: str, more: NextWords = no_more_words) -> Generator[Event, None, None]:
        """Run a turn as events, and the turns begun by words that the user adds meanwhile (``more``).

        A CtxeError or an interrupt closes the turn before it is raised again.
        """
        self.usd_before, self.began = self.state.usd, time.monotonic()
        self.meter = Meter(self.ports.count)
        model = self.ports.provider.model
        if self.state.model != model.id:
            yield from self.emit(ModelChosen(model.id))
        if self.state.effort != model.effort:
            yield from self.emit(EffortChosen(model.effort))
        try:
            yield from map_events(run_turn(words, lambda: self.state, self.ports, more), self.emit)
        except CtxeError as error:
            yield from self.close("failed", error.message)
            raise
        except KeyboardInterrupt:
            yield from self.close("interrupted")
            raise
        except Exception as error:
            yield from self.close("failed", f"a bug: {type(error).__name__}")
            raise
        except GeneratorExit:
            for _ in self.close("interrupted"):
                pass
            raise

    def emit(self, event: Event) -> Iterator[Event]:
        """Keep an event, apply it, show it, run the listeners. A Ctrl-C while it is shown is raised after them."""
        pressed: KeyboardInterrupt | None = None
        for one in self._take(event):
            try:
                yield one
            except KeyboardInterrupt as while_shown:
                pressed = while_shown
            for listener in self.listeners:
                for answer in listener(one, self.state):
                    yield from self._take(answer)
        if pressed:
            raise pressed

    def close(self, outcome: Outcome, why: str = "") -> Iterator[Event]:
        """End a running turn so that the next request is well-formed; does nothing when none runs.

        The cost of an answer that was cut off is recorded all the same.
        """
        usage, prices = self.meter.usage(self.state.ledger), self.ports.provider.model.prices
        usd = prices.cost(usage) if usage and prices else None
        for event in closing_events(self.state, outcome, why, self.meter.text, usage, usd):
            yield from self.emit(event)

    def _take(self, event: Event) -> Iterator[Event]:
        """Keep and apply one event, then yield it; a notice comes first when the log cannot be written."""
        self.meter.observe(event)
        if isinstance(event, TurnFinished):
            event = self._summed(event)
        if isinstance(event, Kept):
            try:
                self.log.append(event)
                self.unlogged = ""
            except StoreError as error:
                # The chat goes on from memory; the user is told once that the log is not being written.
                if error.message != self.unlogged:
                    yield Notice(f"not logged: {error.message}", "error")
                self.unlogged = error.message
            self.state = apply(self.state, event)
        yield event

    def _summed(self, event: TurnFinished) -> TurnFinished:
        """The event with usage, cost (None: price unknown) and seconds of the whole turn."""
        usages = [step.reply.usage or Usage() for step in self.state.turn.steps]
        usage = sum(usages, Usage())
        usd: float | None = self.state.usd - self.usd_before
        if not usd and self.ports.provider.model.prices is None:
            usd = None
        seconds = time.monotonic() - self.began
        self.usd_before, self.began = self.state.usd, time.monotonic()  # the user's next words count from here
        return replace(event, usage=usage, usd=usd, seconds=seconds)


@contextlib.contextmanager
def close_on_exit(session: Session) -> Iterator[Session]:
    """Close the running turn when the program ends in the middle of one."""
    try:
        yield session
    finally:
        for _ in session.close("interrupted"):
            pass
