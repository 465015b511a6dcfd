"""The one event loop that asynchronous libraries run in: a thread of its own, started when it is first needed."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

Result = TypeVar("Result")
LAST_SECONDS = 5.0
"""How long what runs may take to end when the loop is closed."""


class Loop:
    """Runs coroutines for callers that have no loop."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def run(self, work: Coroutine[Any, Any, Result]) -> Future[Result]:
        """Begin a coroutine; its result is to be had from any thread."""
        return asyncio.run_coroutine_threadsafe(work, self._running())

    def call(self, act: Callable[[], object]) -> None:
        """Do something small in the loop's own thread; nothing when there is no loop."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(act)

    def close(self) -> None:
        """End what runs, in time, and the thread with it."""
        loop, thread = self._loop, self._thread
        self._loop = self._thread = None
        if loop is None or thread is None:
            return
        loop.call_soon_threadsafe(loop.stop)
        thread.join(LAST_SECONDS)

    def _running(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            loop = self._loop = asyncio.new_event_loop()
            # what a library leaves unawaited is no news for the user's screen
            loop.set_exception_handler(lambda _loop, _context: None)
            self._thread = threading.Thread(target=_serve, args=(loop,), name="servers", daemon=True)
            self._thread.start()
        return self._loop


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        loop.run_until_complete(loop.shutdown_asyncgens())
    finally:
        loop.close()
