"""The thread that keeps a live screen moving while nothing else happens."""

from __future__ import annotations

import threading
from collections.abc import Callable

from ctxe.terminal.input.interrupt import block_signals


class Ticker:
    """Calls ``tick`` again and again in its own thread, until it is stopped or the terminal is gone."""

    def __init__(self, tick: Callable[[], None]) -> None:
        self._tick = tick
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start ticking."""
        self._stopped.clear()
        self._thread = threading.Thread(target=self._run, name="ctxe-screen", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop ticking; waits at most a second for the thread."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join(timeout=1)

    def wait(self, seconds: float) -> None:
        """Let the seconds pass; ``stop`` cuts them short."""
        self._stopped.wait(seconds)

    def _run(self) -> None:
        block_signals()
        while not self._stopped.is_set():
            try:
                self._tick()
            except (OSError, ValueError):
                return  # the next event raises the error where it can be handled
