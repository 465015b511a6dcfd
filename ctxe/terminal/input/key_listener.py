"""The keyboard while the model works: what is typed is kept for the next line, Escape by itself stops the turn."""

from __future__ import annotations

from typing import Any

from ctxe.terminal.input import keyboard
from ctxe.terminal.input.interrupt import current
from ctxe.terminal.input.typeahead import TypeAhead
from ctxe.terminal.screen import Screen


class KeyListener:
    """Used by one thread at a time. Without ``listens`` typed letters are only hidden, and stay unread."""

    def __init__(self, screen: Screen, listens: bool) -> None:
        self.stdin, self.listens = screen.stdin, listens and screen.keyboard
        self.ahead = TypeAhead()
        self.hushed = self.quiet = self.stopping = False
        self.saved: list[Any] | None = None

    def hush(self, wanted: bool) -> None:
        """Start reading keys here without echo, or restore the previous mode."""
        if wanted == self.hushed:
            return
        self.hushed, self.stopping = wanted, False
        if not self.listens:
            keyboard.echo(self.stdin, shown=not wanted)
        elif wanted:
            self.saved = keyboard.modes(self.stdin)
            self.quiet = keyboard.quiet(self.stdin)
            # The terminal has already translated each earlier Enter to a line end.
            self.ahead.feed(keyboard.typed(self.stdin).replace(b"\n", b"\r") if self.quiet else b"")
        elif self.quiet:
            self.ahead.feed(keyboard.typed(self.stdin))
            keyboard.restore(self.stdin, self.saved)
            self.quiet = False

    def rest(self) -> None:
        """Restore the previous modes for the shell, before Ctrl-Z suspends us."""
        if self.quiet:
            keyboard.restore(self.stdin, self.saved)

    def again(self) -> None:
        """Set our modes again after Ctrl-Z and fg: the shell may have changed them."""
        if self.quiet:
            keyboard.quiet(self.stdin)

    def listen(self, came: bool, running: bool) -> bool:
        """Take in what was typed; Escape interrupts what is ``running``, once. False if the terminal is gone."""
        data = keyboard.typed(self.stdin) if came else b""
        self.ahead.feed(data)
        if not data and self.ahead.escaped() and running and not self.stopping:
            self.stopping = True
            current().escape()
        return bool(data) or not came
