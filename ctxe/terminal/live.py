"""Draws events on a terminal: finished blocks are printed once, growing or running ones are redrawn below them."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Self

from ctxe.domain.events import (
    ContextAssembled,
    EffortChosen,
    Event,
    ModelChosen,
    ReplyReceived,
    ToolFinished,
    ToolStarted,
    TurnFinished,
    TurnStarted,
)
from ctxe.domain.ledger import Ledger
from ctxe.domain.model import CallDelta, ReasoningDelta, TextDelta, Waiting
from ctxe.domain.tool import Progress
from ctxe.terminal import figures
from ctxe.terminal.activity import FRAME, Activity, activity_rows
from ctxe.terminal.answer import Answer
from ctxe.terminal.calls import tool_finished
from ctxe.terminal.input import keyboard
from ctxe.terminal.input.key_listener import KeyListener
from ctxe.terminal.page import Page
from ctxe.terminal.screen import Clock, Screen
from ctxe.terminal.suspension import Suspension
from ctxe.terminal.ticker import Ticker
from ctxe.terminal.transcript import UNCOUNTED, event_lines, status_line, totals, user_lines

DRAW = 0.08  # minimum seconds between redraws of a growing answer: some twelve a second


class LiveRenderer:
    """Draws events on a terminal; a thread redraws elapsed times and countdowns while nothing else happens."""

    def __init__(self, screen: Screen, words: bool, clock: Clock, listens: bool = False) -> None:
        self.screen, self.words, self.clock = screen, words, clock
        self.keys = KeyListener(screen, listens)
        self.page, self.activity = Page(screen), Activity(typeahead=self.keys.typeahead)
        self.activity.key = "Esc stops" if self.keys.listens else self.activity.key
        self.answer = Answer(self.page, self.activity, clock)
        self.lock, self.ticker = threading.RLock(), Ticker(self._tick)
        self.ledger: Ledger | None = None
        self.busy = self.turning = False
        self.holding = self.reading = False
        self.suspension = Suspension(lambda: self.busy)
        self.steered: list[TurnFinished] = []
        self.preview = self.model = ""
        self.next_draw = 0.0

    def __enter__(self) -> Self:
        self.suspension.watch()
        self._set_holding(holding=self.keys.listens)
        self.ticker.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ticker.stop()
        self.suspension.unwatch()
        with contextlib.suppress(OSError, ValueError), self.lock:
            self.answer.flush()
            self._set_holding(holding=False)
            self._set_busy(busy=False)
            self.page.draw_below([])

    @contextlib.contextmanager
    def working(self, doing: str) -> Iterator[None]:
        """Wraps a turn, from Enter on: shows at once what is done, and keeps what is typed until it is over."""
        with self.lock:
            self._set_holding(holding=True)
            self.turning = self.page.needs_gap = True
            self.steered = []
            self._set_activity(doing)
            self._set_busy(busy=True)
            self._draw(self.clock())
        try:
            yield
        finally:
            with self.lock:
                self.turning = False
                self._set_holding(holding=False)
                self._set_busy(busy=False)
                self.page.draw_below([])

    def take_typed(self, whole: bool) -> tuple[str, str]:
        """The words typed ahead that are sent now, and the initial text of the input line (see TypeAhead.take)."""
        with self.lock:
            self._set_holding(holding=self.keys.listens)
            self._set_holding(holding=False)
            return self.activity.typeahead.take(whole)

    def take_entered(self) -> str:
        """The words entered while the model works, to be sent between two steps."""
        with self.lock:
            return self.activity.typeahead.take_words()

    @contextlib.contextmanager
    def reading_line(self) -> Iterator[None]:
        """Wraps the input line, so that an Enter pressed before it is ready counts. The line itself reads the keys."""
        with self.lock:
            self.reading = True
            self._set_holding(holding=self.keys.listens)
        try:
            yield
        finally:
            with self.lock:
                self.reading = False
                self._set_holding(holding=False)

    def show_words(self, words: str) -> None:
        """Print words of the user's that no input line shows: typed ahead, or given on the command line."""
        with self.lock:
            self.page.print_lines(user_lines(words, self.screen.unicode))

    @contextlib.contextmanager
    def paused(self, shown: str = "") -> Iterator[None]:
        """Erase the redrawn rows and stop drawing; printed rows stay. ``shown`` is a preview drawn meanwhile."""
        with self.lock:
            self.page.draw_below([])
            self.preview, self.page.needs_gap = shown or self.preview, True
            busy, began, holding = self.busy, self.clock(), self.holding
            self._set_holding(holding=False)
            self._set_busy(busy=False)
            yield
            self._set_holding(holding=holding)
            self._set_busy(busy=busy)
            self.activity.since += self.clock() - began

    def show(self, event: Event) -> None:
        """Draw one event. Raises OSError if standard output is closed."""
        with self.lock:
            began = self.clock()
            match event:
                case TextDelta(text):
                    self.answer.append(text, draws=self.clock() >= self.next_draw)
                case ReasoningDelta(text):
                    self.activity.add_thought(text)
                    self._set_activity("thinking")
                case CallDelta(name, size):
                    self.answer.flush()
                    self._set_activity(f"writing {name} ({figures.size(size)} characters)")
                case Progress(text):
                    self.activity.add_output(text)
                case Waiting():
                    self.answer.discard(event)
                case _:
                    self._show_logged(event)
            if began >= self.next_draw or not self.busy:
                self._draw(began)

    def _show_logged(self, event: Event) -> None:
        """Handle an event that the log keeps: what it leaves on the screen, and what is done next."""
        unicode = self.screen.unicode
        match event:
            case TurnStarted(words):
                self.turning = True
                self._set_busy(busy=True)
                self.page.needs_gap = True
                more = bool(self.steered)
                self.page.print_lines(user_lines(words, unicode, steering=more) if self.words or more else [])
                self._set_activity("gathering context")
            case ContextAssembled(ledger):
                self.ledger, self.activity.held, self.activity.usable = ledger, ledger.used, ledger.usable
                self.page.region.mark()
                self._set_activity("waiting for the model")
            case ReplyReceived():
                self.answer.finish(event.reply)
                self._set_activity("working")
            case ToolStarted():
                self.answer.flush()
                self._set_busy(busy=True)
                self.activity.call, self.activity.output = event, ""
                self._set_activity("running")
            case ToolFinished():
                self.page.print_lines(tool_finished(event, unicode, self.preview))
                self.activity.call, self.activity.output, self.preview = None, "", ""
                self._set_activity("working")
                self._set_busy(busy=self.turning)  # a command of the user's own runs outside any turn
            case TurnFinished("steered"):
                self.steered.append(event)
            case TurnFinished():
                self.turning = False
                self.answer.flush()
                self._set_busy(busy=False)
                self.activity.call = None
        if not self._is_no_news(event):
            self.page.print_lines(event_lines(event, unicode))
        if isinstance(event, TurnFinished) and self.ledger is not None and event.outcome not in UNCOUNTED:
            self.page.needs_gap = True
            turns, self.steered = [*self.steered, event], []
            self.page.print_lines([status_line(self.ledger, totals(turns), self.activity.held, unicode)])

    def _is_no_news(self, event: Event) -> bool:
        """Whether this is the model or effort that the greeting named already, or that is in use anyway."""
        if isinstance(event, EffortChosen):
            return not (self.words or self.model)
        if not isinstance(event, ModelChosen) or self.words:
            return False
        before, self.model = self.model, event.model
        return before in ("", event.model)

    def _set_busy(self, *, busy: bool) -> None:
        """Turn off echo while the model works: typed letters would appear in the redrawn rows."""
        self.busy = busy
        self.keys.set_listening(busy or self.holding)

    def _set_holding(self, *, holding: bool) -> None:
        """Keep reading the keys although nothing is drawn, or stop doing so."""
        self.holding = holding
        self.keys.set_listening(self.busy or holding)

    def _suspend(self) -> None:
        """Suspend the process with a clean screen and the terminal's own modes; the shell then writes over our rows."""
        self.page.draw_below([])
        self.keys.suspend()
        self.suspension.suspend(self.ticker.wait, FRAME)

    def _set_activity(self, doing: str) -> None:
        self.activity.set_doing(doing, self.clock())

    def _draw(self, began: float) -> None:
        """Redraw the bottom rows. After a slow redraw the next one comes later, so that drawing stays cheap."""
        if self.suspension.resumed:
            self.suspension.resumed, self.page.region.drawn = False, []
            self.keys.resume()
        self.page.draw_below(activity_rows(self.activity, began, self.screen) if self.busy else [])
        self.next_draw = self.clock() + max(DRAW, 5 * (self.clock() - began))

    def _tick(self) -> None:
        """Read the keys that were pressed and redraw. Raises OSError and ValueError if the terminal is gone."""
        listening = self.keys.raw and not self.reading
        has_keys = listening and keyboard.wait_for_key(self.screen.stdin, FRAME)
        if not listening:
            self.ticker.wait(FRAME)
        with self.lock:
            heard = listening and self.keys.raw and not self.reading
            if heard and not self.keys.listen(has_keys, self.busy):
                self.ticker.wait(FRAME)  # the terminal is gone, so reading from it always returns at once
            if self.suspension.requested:
                self._suspend()
            if self.busy:
                self._draw(self.clock())
