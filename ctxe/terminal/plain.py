"""Prints events as plain text: only the answer goes to standard output, everything else to standard error."""

from __future__ import annotations

import contextlib
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
from ctxe.domain.model import TextDelta, Waiting
from ctxe.safety.display import visible
from ctxe.terminal.calls import call_head, tool_finished
from ctxe.terminal.screen import Screen
from ctxe.terminal.streams import write
from ctxe.terminal.style import Line, fold, line
from ctxe.terminal.transcript import UNCOUNTED, event_lines, retry_line, status_line, user_lines


class PlainRenderer:
    """Output to a pipe, a file or a dumb terminal. A pipe only gets the last answer of a turn, once it is complete."""

    def __init__(self, screen: Screen, words: bool = False) -> None:
        self.screen, self.words = screen, words
        self.ledger: Ledger | None = None
        self.held = 0
        self.answer = self.pending = self.previewed = self.last = ""
        self.streamed = self.whole = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError, ValueError):
            self._flush()

    @contextlib.contextmanager
    def paused(self, shown: str = "") -> Iterator[None]:
        """End the current row. Nothing is ever redrawn here."""
        self._flush()
        self.previewed = shown or self.previewed
        yield

    def working(self, doing: str) -> contextlib.AbstractContextManager[None]:
        """Draws nothing."""
        return contextlib.nullcontext()

    def take_typed(self, whole: bool) -> tuple[str, str]:
        """Nothing: the terminal keeps what is typed for the next line."""
        return "", ""

    def take_entered(self) -> str:
        """Nothing: the keyboard is not read while the model works."""
        return ""

    def reading_line(self) -> contextlib.AbstractContextManager[None]:
        """Does nothing: the terminal itself keeps what is typed."""
        return contextlib.nullcontext()

    def show_words(self, words: str) -> None:
        """Print nothing: no input line asked for these words."""

    def show(self, event: Event) -> None:
        """Print one event. Raises OSError if standard output is closed."""
        match event:
            case TextDelta(text):
                self._grow(text)
            case Waiting():
                self._void(event)
            case ReplyReceived():
                self._replied(event)
            case ContextAssembled(ledger):
                self.ledger, self.held = ledger, ledger.used
            case ModelChosen() | EffortChosen() if self.ledger is None and not self.words:
                return  # the first model is not announced: the last line of the turn names it
            case TurnStarted(words, _) if self.words:
                self._tell(user_lines(words, self.screen.unicode))
            case ToolStarted(_, tool, title, _) if self.screen.terminal:
                self._tell([call_head(tool, title, None, self.screen.unicode, "running")])
            case ToolStarted():
                self.whole = bool(self.answer)  # a check of the user's runs after what may be the answer
            case ToolFinished():
                self._tell(tool_finished(event, self.screen.unicode, self.previewed))
                self.previewed = ""
            case TurnFinished():
                self._finished()
        self._tell(event_lines(event, self.screen.unicode))
        if isinstance(event, TurnFinished) and self.ledger is not None and event.outcome not in UNCOUNTED:
            self._tell([status_line(self.ledger, event, self.held, self.screen.unicode)])

    def _grow(self, text: str) -> None:
        """Add text of the answer. A terminal shows it at once, except a last character that may join the next one."""
        if self.whole:
            self._print_aside()
        self.answer += text
        if not self.screen.terminal:
            return
        self.pending += text
        ready = self.pending.rstrip("\r\u200d\ufe0f")
        while ready and not ready[-1].isprintable() and ready[-1] not in "\n\t":
            ready = ready[:-1]
        self.pending = self.pending[len(ready) :]
        if ready:
            self.streamed = True
            write(self.screen.out, self._next_visible(ready))

    def _next_visible(self, text: str) -> str:
        """The text with control characters made visible. The letter before it decides about a joiner at its start."""
        before, self.last = self.last, text[-1:] or self.last
        return visible(before + text)[len(visible(before)) :]

    def _flush(self) -> None:
        """On a terminal, end the row of the answer."""
        if self.screen.terminal and (self.streamed or self.pending):
            write(self.screen.out, self._next_visible(self.pending) + ("" if self.answer.endswith("\n") else "\n"))
        self.pending, self.streamed, self.last = "", False, ""

    def _void(self, event: Waiting) -> None:
        """Discard the words shown so far, which are void."""
        if self.streamed:
            self._flush()
            self._tell([line("the words above are void")])
        self.answer = self.pending = ""
        self._tell([retry_line(event, self.screen.unicode)])

    def _replied(self, event: ReplyReceived) -> None:
        """Handle a whole reply. Words before tool calls are not the answer: on a pipe they go to standard error."""
        reply = event.reply
        if self.whole:
            self._print_aside()
        if not self.answer and reply.text:
            self._grow(reply.text)
        if self.screen.terminal:
            self._flush()
            self.answer = ""
        elif reply.calls or reply.dropped:
            self._print_aside()
        if reply.usage is not None and reply.usage.input:
            self.held = reply.usage.input + reply.usage.output

    def _print_aside(self) -> None:
        """Print what was said to standard error, since it was not the answer."""
        self._tell([line(row) for row in self.answer.strip().split("\n")] if self.answer.strip() else [])
        self.answer, self.whole = "", False

    def _finished(self) -> None:
        """Print the answer of the turn."""
        self._flush()
        if not self.screen.terminal and self.answer.strip():
            write(self.screen.out, visible(self.answer).strip("\n") + "\n")
        self.answer = ""

    def _tell(self, rows: list[Line]) -> None:
        for row in rows:
            for part in fold(row, self.screen.width, "  "):
                self.screen.tell(self.screen.paint(part))
