"""Chooses an item of a list by arrow keys or by typing words of it; imports prompt-toolkit, so only when needed."""

from __future__ import annotations

from collections.abc import Sequence

from prompt_toolkit.application import Application
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.input import create_input
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.layout import BufferControl, Dimension, FormattedTextControl, HSplit, Layout, Window
from prompt_toolkit.layout.processors import BeforeInput

from ctxe.domain.value import dataclass
from ctxe.terminal.input.drawing import STYLE, color_depth, create_output
from ctxe.terminal.screen import Screen
from ctxe.terminal.style import clean, clip, glyph, line

ROWS = 12  # rows of the list that are visible at once
KEYS, WIDE = "(words, arrows, Enter; Esc leaves) ", 90
"""Key hints, shown beside the question in a window of at least this many columns."""


@dataclass(slots=True)
class _List:
    """The items as (value, row), and the position of the selection among those that match the typed words."""

    screen: Screen
    every: Sequence[tuple[str, str]]
    typed: Buffer
    at: int = 0

    def fitting(self) -> list[tuple[str, str]]:
        """The items that contain every typed word, in any order."""
        words = self.typed.text.lower().split()
        return [one for one in self.every if all(word in " ".join(one).lower() for word in words)]

    def move(self, by: int) -> None:
        """Move the selection up or down, within the list."""
        self.at = max(0, min(self.at + by, len(self.fitting()) - 1))

    def rows(self) -> StyleAndTextTuples:
        """The rows around the selection, as text for prompt-toolkit."""
        found, (columns, _) = self.fitting(), self.screen.size()
        first = max(0, min(self.at - ROWS // 2, len(found) - self.room()))
        drawn: StyleAndTextTuples = []
        for number, (_, text) in enumerate(found[first : first + self.room()], start=first):
            mark = f"{glyph('user', self.screen.unicode)} " if number == self.at else "  "
            row = clip(line(mark, clean(text)), columns - 1, self.screen.unicode)
            drawn.append(("reverse" if number == self.at else "", "".join(part for part, _ in row) + "\n"))
        return drawn or [("class:bottom-toolbar.text", "  nothing matches these words")]

    def room(self) -> int:
        """Rows for the list; a part of the window stays free."""
        return max(1, min(ROWS, len(self.every), self.screen.size()[1] - 3))


def pick(screen: Screen, question: str, options: Sequence[tuple[str, str]]) -> str | None:
    """The chosen value of (value, row); None for Escape, Ctrl-C and Ctrl-D. Needs a ``live`` screen with a keyboard."""
    typed = Buffer(multiline=False)
    offered = _List(screen, options, typed)
    typed.on_text_changed += lambda _: setattr(offered, "at", 0)
    keys = KEYS if screen.size()[0] >= WIDE else ""
    words = BufferControl(typed, [BeforeInput(f"{question} {keys}", "class:prompt")])
    listed = Window(FormattedTextControl(offered.rows), height=lambda: Dimension.exact(offered.room()))
    app: Application[str | None] = Application(
        layout=Layout(HSplit([Window(words, height=1), listed])),
        key_bindings=_keys(offered),
        style=STYLE,
        color_depth=color_depth(screen),
        erase_when_done=True,
        input=create_input(screen.stdin),
        output=create_output(screen),
    )
    app.ttimeoutlen = 0.1  # seconds until Escape counts as a key by itself
    return app.run(handle_sigint=False)


def _keys(offered: _List) -> KeyBindings:
    keys = KeyBindings()
    for names, by in ((("up", "c-p"), -1), (("down", "c-n", "tab"), 1), (("pageup",), -ROWS), (("pagedown",), ROWS)):
        for name in names:
            keys.add(name)(lambda _, by=by: offered.move(by))
    for name in ("escape", "c-c", "c-d"):
        keys.add(name, eager=True)(_cancel)  # otherwise Escape would wait a second for a key to combine with as Alt

    @keys.add("enter")
    def chosen(event: KeyPressEvent) -> None:
        if found := offered.fitting():
            event.app.exit(result=found[offered.at][0])

    return keys


def _cancel(event: KeyPressEvent) -> None:
    event.app.exit(result=None)
