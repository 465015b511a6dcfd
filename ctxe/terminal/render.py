"""Shows events: drawn and redrawn on a terminal, plain lines everywhere else.

A ``Renderer`` is a context manager around a session; it is given every event::

    with Renderer(screen) as renderer:
        for event in session.turn(words):
            renderer.show(event)

While something else needs the terminal (a question, an editor), wrap it in ``with renderer.paused():``.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Self

from ctxe.domain.events import Event
from ctxe.terminal.bell import Bell
from ctxe.terminal.calls import diff_line
from ctxe.terminal.live import LiveRenderer
from ctxe.terminal.plain import PlainRenderer
from ctxe.terminal.screen import Clock, Screen
from ctxe.terminal.streams import write
from ctxe.terminal.style import fold, line
from ctxe.terminal.tables import draw


class Renderer:
    """Draws events on any screen; ``words`` also prints the user's words, for an old session.

    ``listens``: what is typed while the model works is kept for the next line.
    """

    def __init__(
        self, screen: Screen, *, words: bool = False, listens: bool = False, clock: Clock = time.monotonic
    ) -> None:
        self.screen, self.bell = screen, Bell(screen, clock)
        self.inner = LiveRenderer(screen, words, clock, listens) if screen.live else PlainRenderer(screen, words)

    def __enter__(self) -> Self:
        self.inner.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.inner.__exit__()

    def show(self, event: Event) -> None:
        """Draw one event. Raises OSError if standard output is closed."""
        self.inner.show(event)

    @contextlib.contextmanager
    def paused(self, shown: str = "") -> Iterator[None]:
        """Leave the terminal to something else.

        ``shown`` is a preview that it leaves there, so it is not printed again.
        """
        with self.inner.paused(shown), self.bell.ring_for_question():
            yield

    @contextlib.contextmanager
    def working(self, doing: str = "gathering context") -> Iterator[None]:
        """Wraps a turn or other long work: ``doing`` is shown at once, and what is typed meanwhile is kept."""
        with self.bell.ring_at_end(), self.inner.working(doing):
            yield

    def take_typed(self, whole: bool = True) -> tuple[str, str]:
        """The words typed ahead that are sent now, and the initial text of the input line.

        After a turn that was not ``whole`` nothing is sent: everything typed goes back into the line.
        """
        return self.inner.take_typed(whole)

    def bind_keys(
        self, cycle: Callable[[], None], mode: Callable[[], str], aside: Callable[[], None] = lambda: None
    ) -> None:
        """While the model works, Shift-Tab calls ``cycle``, Ctrl-B calls ``aside``, and the status row shows
        ``mode()``.

        ``aside`` sends the running command to the background.
        """
        if isinstance(self.inner, LiveRenderer):
            self.inner.activity.typeahead.cycle, self.inner.activity.mode = cycle, mode
            self.inner.activity.typeahead.aside = aside

    def take_entered(self) -> str:
        """The words entered while the model works, up to the first slash command; each is returned once."""
        return self.inner.take_entered()

    def reading_line(self) -> AbstractContextManager[None]:
        """Wraps the input line: what is typed before it is ready belongs to it."""
        return self.inner.reading_line()

    def show_words(self, words: str) -> None:
        """Print words of the user's that no input line has shown."""
        self.inner.show_words(words)

    def print_lines(self, rows: Sequence[str]) -> None:
        """Print rows of plain text, wrapped to the window."""
        self.screen.say(draw([part for row in rows for part in fold(line(row), self.screen.width, "  ")], self.screen))

    def print_hint(self, words: str) -> None:
        """Print below an error what to do about it; on a pipe it goes to standard error."""
        row = draw(fold(line(f"  {words}"), self.screen.width, "  "), self.screen)
        (self.screen.say if self.screen.terminal else self.screen.tell)(row)

    def print_diff(self, text: str) -> None:
        """Print a whole unified diff in colours; rows longer than the window are wrapped, not cut."""
        rows = [part for row in text.splitlines() for part in fold(line(diff_line(row)), self.screen.width)]
        self.screen.say(draw(rows, self.screen))

    def clear(self) -> None:
        """Clear the window and its scrollback, on a live screen."""
        if self.screen.live:
            write(self.screen.out, "\x1b[2J\x1b[3J\x1b[H\n")
