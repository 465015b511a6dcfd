"""Waiting in the session's thread for work in the loop's thread, while Ctrl-C and progress still get through."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterator
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from typing import Any

from ctxe.domain.form import Form, FormAnswers
from ctxe.domain.tool import Progress
from ctxe.domain.value import dataclass, field
from ctxe.tools.mcp.loop import Loop

STEP_SECONDS = 0.1
"""How often a waiting caller wakes up, so that Ctrl-C works."""
SPARE_SECONDS = 1.0
"""How much later than the loop a caller gives up."""


@dataclass(frozen=True, slots=True)
class PendingForm:
    """A form that a server wants filled in, and the future of the answer, which belongs to the loop's thread."""

    form: Form
    answer: asyncio.Future[FormAnswers | None]

    def settle(self, loop: Loop, filled: FormAnswers | None) -> None:
        """Give the answer, from the session's thread."""
        loop.call(lambda: None if self.answer.done() else self.answer.set_result(filled))


@dataclass(slots=True)
class PendingRequest:
    """A request in progress: the pieces for its caller, and its time limit (``clock``) in the loop's thread."""

    pieces: SimpleQueue[Progress | PendingForm] = field(default_factory=SimpleQueue)
    clock: asyncio.Timeout | None = None

    async def ask_user(self, form: Form, seconds: float) -> FormAnswers | None:
        """Have the caller's user fill in a form. The time limit stops meanwhile and is ``seconds`` again afterwards."""
        loop = asyncio.get_running_loop()
        pending = PendingForm(form, loop.create_future())
        if self.clock:
            self.clock.reschedule(None)
        self.pieces.put(pending)
        try:
            return await pending.answer
        finally:
            if self.clock and not self.clock.expired():
                self.clock.reschedule(loop.time() + seconds)

    def take_pieces(self) -> Iterator[Progress | PendingForm]:
        """Everything that came in since the last call."""
        with contextlib.suppress(Empty):
            while True:
                yield self.pieces.get_nowait()


@dataclass(slots=True)
class Deadline:
    """A caller's time limit of ``seconds``, which starts over after a person has answered."""

    seconds: float
    until: float = 0.0

    def __post_init__(self) -> None:
        self.again()

    def again(self) -> None:
        """Start over."""
        self.until = time.monotonic() + self.seconds + SPARE_SECONDS


def until(future: Future[Any], deadline: Deadline) -> Iterator[None]:
    """Wait for a future in small steps. Raises TimeoutError at the limit, or the future's exception."""
    while not future.done():
        if time.monotonic() > deadline.until:
            raise TimeoutError
        with contextlib.suppress(TimeoutError):
            future.result(STEP_SECONDS)
        yield
    if error := future.exception():
        raise error


def wait_for(future: Future[Any], seconds: float) -> None:
    """Wait for a future. Raises as ``until`` does."""
    for _ in until(future, Deadline(seconds)):
        pass
