"""Prints what stays on a live screen, above the redrawn rows: lines and blocks of Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from ctxe.terminal.region import Region
from ctxe.terminal.screen import Screen
from ctxe.terminal.style import Line, fold


class Page:
    """Prints for good; ``needs_gap`` puts a blank row before the next line: other content follows."""

    def __init__(self, screen: Screen) -> None:
        self.screen, self.region, self.needs_gap = screen, Region(screen), False

    def print_lines(self, shown: Sequence[Line]) -> None:
        """Print lines, wrapped to the window."""
        columns = self.screen.size()[0]
        painted = [self.screen.paint(part) for one in shown for part in fold(one, columns, "  ")]
        if painted:
            self.region.update(["", *painted] if self.needs_gap else painted, [])
            self.needs_gap = False

    def print_blocks(self, text: str) -> None:
        """Print whole blocks of Markdown, with a blank row before and after."""
        if text.strip():
            from ctxe.terminal import markdown

            drawn = markdown.render(text, self.screen.size()[0], self.screen.color, self.screen.unicode)
            self.region.update(["", *drawn], [])
            self.needs_gap = True

    def draw_below(self, rows: Sequence[str]) -> None:
        """Draw painted rows below the printed ones, replacing those drawn before."""
        self.region.update([], rows)
