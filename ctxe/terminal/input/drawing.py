"""How prompt-toolkit draws on our screens: its colours, and a terminal that is never asked anything."""

from __future__ import annotations

from prompt_toolkit.output import ColorDepth
from prompt_toolkit.output.vt100 import Vt100_Output
from prompt_toolkit.styles import Style

from ctxe.terminal.screen import Screen

STYLE = Style.from_dict(
    {
        "bottom-toolbar": "noreverse",
        "bottom-toolbar.text": "dim",
        "prompt": "ansicyan",
        "completion-menu": "bg:default noreverse",
        "completion-menu.completion": "bg:default",
        "completion-menu.completion.current": "reverse",
        "completion-menu.meta.completion": "bg:default dim",
        "completion-menu.meta.completion.current": "reverse",
        "scrollbar.background": "bg:default",
        "scrollbar.button": "reverse",
    }
)


class _Output(Vt100_Output):
    """A terminal that is never asked where its cursor is: the answer would arrive among what the user types."""

    enable_cpr = False

    def get_rows_below_cursor_position(self) -> int:
        """One row is always there; more are made by scrolling when they are needed."""
        return 1


def output(screen: Screen) -> Vt100_Output:
    """What draws on a screen."""
    drawn = _Output.from_pty(screen.out, term=None)
    drawn.enable_cpr = False
    return drawn


def depth(screen: Screen) -> ColorDepth:
    """The 16 colours that a terminal's theme sets, or none."""
    return ColorDepth.DEPTH_4_BIT if screen.color else ColorDepth.DEPTH_1_BIT
