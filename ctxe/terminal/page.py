"""What stays on a live screen, above the rows that are drawn again and again: lines, and blocks of Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from ctxe.terminal.region import Region
from ctxe.terminal.screen import Screen
from ctxe.terminal.style import Line, fold


class Page:
    """Prints for good; ``apart`` says that a blank row comes before the next line, for it is of another kind."""

    def __init__(self, screen: Screen) -> None:
        self.screen, self.region, self.apart = screen, Region(screen), False

    def lines(self, shown: Sequence[Line]) -> None:
        """Lines, folded to the window."""
        columns = self.screen.size()[0]
        painted = [self.screen.paint(part) for one in shown for part in fold(one, columns, "  ")]
        if painted:
            self.region.update(["", *painted] if self.apart else painted, [])
            self.apart = False

    def blocks(self, text: str) -> None:
        """Whole blocks of Markdown, apart from what stands above and below them."""
        if text.strip():
            from ctxe.terminal import markdown

            drawn = markdown.render(text, self.screen.size()[0], self.screen.color, self.screen.unicode)
            self.region.update(["", *drawn], [])
            self.apart = True

    def below(self, rows: Sequence[str]) -> None:
        """Draw painted rows below what stays, in the place of those drawn before."""
        self.region.update([], rows)
