"""Shows the progress of long work: one row on standard error, or a line now and then without a terminal."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import Protocol

from ctxe.terminal import figures
from ctxe.terminal.screen import Clock, Screen
from ctxe.terminal.streams import is_terminal, write
from ctxe.terminal.style import Line, clip, glyph, line


class Advance(Protocol):
    """Takes the count done so far (not an increment), what is being done, and the total (0: unknown)."""

    def __call__(self, done: int, detail: str = "", whole: int = 0) -> None:
        """Redraw the row if it is time to."""


PATIENCE = 0.3  # seconds before the row appears: short work stays silent
REDRAW = 0.1
PLAINLY = 10.0  # seconds between two lines without a terminal
BAR = 24  # columns


@contextlib.contextmanager
def progress(screen: Screen, label: str, total: int = 0, clock: Clock = time.monotonic) -> Iterator[Advance]:
    """Wraps long work; yields a function that takes the count done so far and a detail (may be empty).

    ``total`` 0 means unknown. The row is erased at the end, also after an interrupt.
    """
    watched = screen.live and is_terminal(screen.err)
    began = clock()
    following = began + (PATIENCE if watched else PLAINLY)
    drawn = False

    def advance(done: int, detail: str = "", whole: int = 0) -> None:
        nonlocal following, drawn
        now = clock()
        if now < following:
            return
        following = now + (REDRAW if watched else PLAINLY)
        row = _row(screen, label, _share(screen, done, whole or total, bool(whole) and watched), now - began, detail)
        with contextlib.suppress(OSError, ValueError):
            if watched:
                drawn = True
                write(screen.err, "\r\x1b[2K" + screen.paint(clip(row, screen.size()[0] - 1, screen.unicode)))
            else:
                write(screen.err, "".join(text for text, _ in row) + "\n")

    try:
        yield advance
    finally:
        if drawn:
            with contextlib.suppress(OSError, ValueError):
                write(screen.err, "\r\x1b[2K")


def _share(screen: Screen, done: int, whole: int, drawn: bool) -> Line:
    """The count or share done, with a bar if there is room for one."""
    if not whole:
        return line(f"{done:,}")
    share = f"{figures.percent(done, whole)} of {whole:,}"
    if not drawn or screen.size()[0] < 3 * BAR:
        return line(share)
    filled, empty = figures.bar(done, whole, BAR, screen.unicode)
    return line((filled, "accent"), (empty, "dim"), f" {share}")


def _row(screen: Screen, label: str, share: Line, seconds: float, detail: str) -> Line:
    dot = f" {glyph('dot', screen.unicode)} "
    words = line((f"{label} ", "accent"), *share, (f"{dot}{figures.seconds(seconds)}", "dim"))
    return line(*words, (f"{dot}{detail}" if detail else "", "dim"))
