"""The keyboard while the model works: what is typed is kept for the next line, Escape by itself stops the turn."""

from __future__ import annotations

from typing import Any

from ctxe.terminal.input import keyboard
from ctxe.terminal.input.interrupt import current_interrupts
from ctxe.terminal.input.typeahead import TypeAhead
from ctxe.terminal.screen import Screen


class KeyListener:
    """Used by one thread at a time. Without ``listens`` typed letters are only hidden, and stay unread."""

    def __init__(self, screen: Screen, listens: bool) -> None:
        self.stdin, self.listens = screen.stdin, listens and screen.keyboard
        self.typeahead = TypeAhead()
        self.listening = self.raw = self.stopping = False
        self.saved: list[Any] | None = None

    def set_listening(self, wanted: bool) -> None:
        """Start reading keys here without echo, or restore the previous mode."""
        if wanted == self.listening:
            return
        self.listening, self.stopping = wanted, False
        if not self.listens:
            keyboard.set_echo(self.stdin, shown=not wanted)
        elif wanted:
            self.saved = keyboard.modes(self.stdin)
            self.raw = keyboard.set_raw(self.stdin)
            # The terminal has already translated each earlier Enter to a line end.
            self.typeahead.feed(keyboard.read_typed(self.stdin).replace(b"\n", b"\r") if self.raw else b"")
        elif self.raw:
            self.typeahead.feed(keyboard.read_typed(self.stdin))
            keyboard.restore(self.stdin, self.saved)
            self.raw = False

    def suspend(self) -> None:
        """Restore the previous modes for the shell, before Ctrl-Z suspends us."""
        if self.raw:
            keyboard.restore(self.stdin, self.saved)

    def resume(self) -> None:
        """Set our modes again after Ctrl-Z and fg: the shell may have changed them."""
        if self.raw:
            keyboard.set_raw(self.stdin)

    def listen(self, has_keys: bool, running: bool) -> bool:
        """Take in what was typed; Escape interrupts what is ``running``, once. False if the terminal is gone."""
        data = keyboard.read_typed(self.stdin) if has_keys else b""
        self.typeahead.feed(data)
        if not data and self.typeahead.escaped() and running and not self.stopping:
            self.stopping = True
            current_interrupts().escape()
        return bool(data) or not has_keys
