"""The rows at the bottom of a terminal that are redrawn, below rows that are printed once."""

from __future__ import annotations

from collections.abc import Sequence

from ctxe.terminal.screen import Screen
from ctxe.terminal.streams import write

ERASE_ROW, ERASE_BELOW = "\x1b[2K", "\x1b[J"


class Region:
    """Redrawn rows below printed ones; every call is one write. Rows are painted and no wider than the window.

    After a resize some terminals have wrapped the drawn rows and some have not. The cursor moves up as if they had not:
    a row may then appear twice, but nothing printed is ever overwritten.
    """

    def __init__(self, screen: Screen) -> None:
        self.screen = screen
        self.drawn: list[str] = []
        self.size = screen.size()
        self.since_mark = 0

    def mark(self) -> None:
        """Count printed rows from here on, so that ``retract`` can remove them."""
        self.since_mark = 0
        self.size = self.screen.size()

    def _home(self) -> str:
        """The control sequence that moves to the start of the drawn rows."""
        up = len(self.drawn) - 1
        return "\r" + (f"\x1b[{up}A" if up > 0 else "")

    def _resized(self) -> bool:
        size = self.screen.size()
        changed, self.size = size != self.size, size
        return changed

    def update(self, printed: Sequence[str], rows: Sequence[str]) -> None:
        """Print ``printed`` for good in place of the drawn rows, and draw as many of ``rows`` below as fit."""
        if self._resized():
            self.since_mark = self.size[1]  # the rows above have moved: too many to retract
        room = max(1, self.size[1] - 1)
        rows = list(rows)[-room:]
        if not printed and rows == self.drawn:
            return
        text = self._home() if self.drawn else ""
        text += ERASE_BELOW if len(rows) + len(printed) < len(self.drawn) else ""
        text += "".join(f"{ERASE_ROW}{row}\r\n" for row in printed)
        text += "\r\n".join(ERASE_ROW + row for row in rows)
        self.since_mark += len(printed)
        self.drawn = rows
        write(self.screen.out, text)

    def retract(self) -> bool:
        """Erase what was printed since ``mark``; False if it has scrolled away or the window was resized."""
        if self._resized() or self.since_mark + len(self.drawn) >= self.size[1]:
            return False
        up = self.since_mark + max(0, len(self.drawn) - 1)
        write(self.screen.out, "\r" + (f"\x1b[{up}A" if up else "") + ERASE_BELOW)
        self.drawn, self.since_mark = [], 0
        return True
