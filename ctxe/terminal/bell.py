"""Rings the terminal bell for a person who looks elsewhere, when long work ends or asks a question."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from ctxe.domain.value import dataclass
from ctxe.terminal.screen import Clock, Screen
from ctxe.terminal.streams import write

BELL = "\a"


@dataclass(slots=True)
class Bell:
    """Rings if the user has not typed for ``seconds`` (0: never). ``since`` is the time of the last input."""

    screen: Screen
    clock: Clock
    seconds: float = 0.0
    since: float = 0.0
    working: bool = False

    @contextlib.contextmanager
    def ring_at_end(self) -> Iterator[None]:
        """Wraps a turn: rings at its end."""
        self.since, self.working = self.clock(), True
        try:
            yield
        finally:
            self.working = False
            self._ring()

    @contextlib.contextmanager
    def ring_for_question(self) -> Iterator[None]:
        """Wraps a question: rings before it if a turn is running; the answer counts as input."""
        if self.working:
            self._ring()
        yield
        self.since = self.clock()

    def _ring(self) -> None:
        if self.screen.live and self.seconds and self.clock() - self.since >= self.seconds:
            with contextlib.suppress(OSError, ValueError):
                write(self.screen.out, BELL)
