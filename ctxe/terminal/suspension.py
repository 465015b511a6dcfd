"""Ctrl-Z and fg while rows are redrawn: the drawing thread erases its rows before the process stops."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from typing import Any

STANDS_STILL = 2.0
"""Maximum seconds that a thread may still run after SIGSTOP was sent."""


class Suspension:
    """Whether the user ``requested`` a suspension while something was drawn, and the process has ``resumed`` since.

    By then the shell has written over our rows. ``is_drawing`` tells whether rows are drawn now.
    """

    def __init__(self, drawing: Callable[[], bool]) -> None:
        self.is_drawing = drawing
        self.requested = self.resumed = False
        self._before: dict[int, Any] = {}

    def watch(self) -> None:
        """Install the signal handlers, if the system has Ctrl-Z."""
        if hasattr(signal, "SIGCONT") and threading.current_thread() is threading.main_thread():
            wanted = {signal.SIGCONT: self._on_continue, signal.SIGTSTP: self._on_stop}
            self._before = {number: signal.signal(number, act) for number, act in wanted.items()}

    def unwatch(self) -> None:
        """Restore the previous signal handlers."""
        for number, act in self._before.items():
            signal.signal(number, act)

    def suspend(self, wait: Callable[[float], object], step: float) -> None:
        """Stop this process. ``wait`` lets the given seconds pass in the calling thread."""
        self.requested = self.resumed = False
        os.kill(os.getpid(), signal.SIGSTOP)
        for _ in range(int(STANDS_STILL / step)):
            if not self.resumed:
                wait(step)

    def _on_stop(self, *_: object) -> None:
        """Handle Ctrl-Z. While rows are drawn the drawing thread stops the process, so that no drawing is torn."""
        if self.is_drawing():
            self.requested = True
        else:
            os.kill(os.getpid(), signal.SIGSTOP)

    def _on_continue(self, *_: object) -> None:
        self.resumed = True
