"""Long work shows how far it is, on one row of standard error; nothing where nobody watches."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator

from ctxe.terminal import figures
from ctxe.terminal.screen import Clock, Screen
from ctxe.terminal.streams import is_terminal, write
from ctxe.terminal.style import clip, glyph, line

Advance = Callable[[int, str], None]
"""Told how much is done (a count, not a difference) and what is being done."""

PATIENCE = 0.3  # seconds before the row appears: short work stays silent
REDRAW = 0.1


@contextlib.contextmanager
def progress(screen: Screen, label: str, total: int = 0, clock: Clock = time.monotonic) -> Iterator[Advance]:
    """Round long work; call what it gives with the count done so far and a detail (may be empty).

    ``total`` 0 means that nobody knows how much there is. The row is gone afterwards, also when interrupted.
    """
    watched = screen.live and is_terminal(screen.err)
    began = clock()
    following = began + PATIENCE
    drawn = False

    def advance(done: int, detail: str = "") -> None:
        nonlocal following, drawn
        now = clock()
        if not watched or now < following:
            return
        following, drawn = now + REDRAW, True
        share = f"{figures.percent(done, total)} of {total:,}" if total else f"{done:,}"
        dot = f" {glyph('dot', screen.unicode)} "
        words = line((f"{label} ", "accent"), share, (f"{dot}{figures.seconds(now - began)}", "dim"))
        row = clip(line(*words, (f"{dot}{detail}" if detail else "", "dim")), screen.size()[0] - 1, screen.unicode)
        with contextlib.suppress(OSError, ValueError):
            write(screen.err, "\r\x1b[2K" + screen.paint(row))

    try:
        yield advance
    finally:
        if drawn:
            with contextlib.suppress(OSError, ValueError):
                write(screen.err, "\r\x1b[2K")
