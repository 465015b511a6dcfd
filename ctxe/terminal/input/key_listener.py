"""The keyboard while the model works: what is typed is kept for the next line, Escape by itself stops the turn."""

from __future__ import annotations

from typing import Any

from ctxe.terminal.input import keyboard
from ctxe.terminal.input.interrupt import current
from ctxe.terminal.input.typeahead import TypeAhead
from ctxe.terminal.screen import Screen


class KeyListener:
    """Used by one thread at a time. Where ``listens`` is not set typed letters are only hidden, and stay unread."""

    def __init__(self, screen: Screen, listens: bool) -> None:
        self.stdin, self.listens = screen.stdin, listens and screen.keyboard
        self.ahead = TypeAhead()
        self.hushed = self.quiet = self.stopping = False
        self.saved: list[Any] | None = None

    def hush(self, wanted: bool) -> None:
        """From now on keys are read here and not shown by the terminal, or as before again."""
        if wanted == self.hushed:
            return
        self.hushed, self.stopping = wanted, False
        if not self.listens:
            keyboard.echo(self.stdin, shown=not wanted)
        elif wanted:
            self.saved = keyboard.modes(self.stdin)
            self.quiet = keyboard.quiet(self.stdin)
            # The terminal has made a line end of each Enter that was pressed before.
            self.ahead.feed(keyboard.typed(self.stdin).replace(b"\n", b"\r") if self.quiet else b"")
        elif self.quiet:
            self.ahead.feed(keyboard.typed(self.stdin))
            keyboard.restore(self.stdin, self.saved)
            self.quiet = False

    def rest(self) -> None:
        """Before Ctrl-Z stops us: the modes of before, for the shell."""
        if self.quiet:
            keyboard.restore(self.stdin, self.saved)

    def again(self) -> None:
        """After Ctrl-Z and fg: the shell may have left other modes."""
        if self.quiet:
            keyboard.quiet(self.stdin)

    def listen(self, came: bool, running: bool) -> bool:
        """Take in what was typed; Escape ends what is ``running``, once. False when the terminal has gone."""
        data = keyboard.typed(self.stdin) if came else b""
        self.ahead.feed(data)
        if not data and self.ahead.escaped() and running and not self.stopping:
            self.stopping = True
            current().escape()
        return bool(data) or not came
