"""Configures how prompt-toolkit draws on our screens: its colours, and no queries to the terminal."""

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
    """A terminal that is never asked for its cursor position: the answer would be mixed with the user's input."""

    enable_cpr = False

    def get_rows_below_cursor_position(self) -> int:
        """Report a single row; prompt-toolkit scrolls when it needs more."""
        return 1


def create_output(screen: Screen) -> Vt100_Output:
    """The prompt-toolkit output for a screen."""
    drawn = _Output.from_pty(screen.out, term=None)
    drawn.enable_cpr = False
    return drawn


def color_depth(screen: Screen) -> ColorDepth:
    """The 16 colours of the terminal's theme, or none."""
    return ColorDepth.DEPTH_4_BIT if screen.color else ColorDepth.DEPTH_1_BIT
