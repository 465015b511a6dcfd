"""Ctrl-Z and fg while rows are drawn: whoever draws them takes them away before the process stops."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from typing import Any

STANDS_STILL = 2.0
"""Seconds at most that a thread runs on before all of them stand still."""


class Suspension:
    """Whether the user ``wanted`` to leave while something was drawn, and came ``back`` since: the shell has written
    where our rows stood. ``drawing`` says whether rows are drawn now.
    """

    def __init__(self, drawing: Callable[[], bool]) -> None:
        self.drawing = drawing
        self.wanted = self.back = False
        self._before: dict[int, Any] = {}

    def watch(self) -> None:
        """From now on, where the system has Ctrl-Z."""
        if hasattr(signal, "SIGCONT") and threading.current_thread() is threading.main_thread():
            wanted = {signal.SIGCONT: self._came, signal.SIGTSTP: self._asked}
            self._before = {number: signal.signal(number, act) for number, act in wanted.items()}

    def unwatch(self) -> None:
        """As it was before."""
        for number, act in self._before.items():
            signal.signal(number, act)

    def stop(self, wait: Callable[[float], object], step: float) -> None:
        """Stop this process; ``wait`` lets so many seconds pass in the thread that calls."""
        self.wanted = self.back = False
        os.kill(os.getpid(), signal.SIGSTOP)
        for _ in range(int(STANDS_STILL / step)):
            if not self.back:
                wait(step)

    def _asked(self, *_: object) -> None:
        """A drawing is never torn: while there is one, the thread that draws stops the process."""
        if self.drawing():
            self.wanted = True
        else:
            os.kill(os.getpid(), signal.SIGSTOP)

    def _came(self, *_: object) -> None:
        self.back = True
