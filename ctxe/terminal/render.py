"""Events on the screen: drawn and redrawn on a terminal, clean lines everywhere else.

A ``Renderer`` is a context manager round a session that is handed every event::

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
    """Draws events on whatever the screen is; ``words`` repeats what the user said (an old session is shown).

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
        """Draw one event. Raises OSError when standard output is gone."""
        self.inner.show(event)

    @contextlib.contextmanager
    def paused(self, shown: str = "") -> Iterator[None]:
        """Keep off the terminal for a while; ``shown`` is a preview that stands there afterwards (never repeated)."""
        with self.inner.paused(shown), self.bell.asked():
            yield

    @contextlib.contextmanager
    def working(self, doing: str = "gathering context") -> Iterator[None]:
        """Round a turn, or whatever takes long: ``doing`` is seen at once, and what is typed meanwhile is kept."""
        with self.bell.over(), self.inner.working(doing):
            yield

    def typed(self, whole: bool = True) -> tuple[str, str]:
        """Words that were typed ahead and are sent now, and what the input line begins with.

        After a turn that was not ``whole`` nothing is sent: all that was typed comes back into the line.
        """
        return self.inner.typed(whole)

    def switches(
        self, cycle: Callable[[], None], mode: Callable[[], str], aside: Callable[[], None] = lambda: None
    ) -> None:
        """From now on Shift-Tab does ``cycle`` while the model works, too, and the row of status says the ``mode``.

        Ctrl-B does ``aside``: a command that runs goes on in the background.
        """
        if isinstance(self.inner, LiveRenderer):
            self.inner.activity.ahead.cycle, self.inner.activity.mode = cycle, mode
            self.inner.activity.ahead.aside = aside

    def entered(self) -> str:
        """Words that were entered while the model works, up to the first command; each is given once."""
        return self.inner.entered()

    def line(self) -> AbstractContextManager[None]:
        """Round the input line, which may take a moment to stand: what is typed until then belongs to it."""
        return self.inner.line()

    def said(self, words: str) -> None:
        """Show words of the user's that no input line has shown."""
        self.inner.said(words)

    def lines(self, rows: Sequence[str]) -> None:
        """Print rows of plain words, each wrapped to the window."""
        self.screen.say(draw([part for row in rows for part in fold(line(row), self.screen.width, "  ")], self.screen))

    def hint(self, words: str) -> None:
        """What to do about an error, below it: on a pipe no part of the answers."""
        row = draw(fold(line(f"  {words}"), self.screen.width, "  "), self.screen)
        (self.screen.say if self.screen.terminal else self.screen.tell)(row)

    def diff(self, text: str) -> None:
        """Print a whole unified diff in colours; rows longer than the window are wrapped, not cut."""
        rows = [part for row in text.splitlines() for part in fold(line(diff_line(row)), self.screen.width)]
        self.screen.say(draw(rows, self.screen))

    def clear(self) -> None:
        """Empty the window, where there is one to empty."""
        if self.screen.live:
            write(self.screen.out, "\x1b[2J\x1b[3J\x1b[H\n")
