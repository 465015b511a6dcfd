"""The event loop in which asynchronous libraries run, in a separate thread that starts when it is first needed."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

Result = TypeVar("Result")
LAST_SECONDS = 5.0
"""How long running tasks may take to end when the loop is closed."""


class Loop:
    """Runs coroutines for callers in other threads."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def run(self, work: Coroutine[Any, Any, Result]) -> Future[Result]:
        """Start a coroutine; the future may be used from any thread."""
        return asyncio.run_coroutine_threadsafe(work, self._running())

    def call(self, act: Callable[[], object]) -> None:
        """Call a quick function in the loop's thread; does nothing when there is no loop."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(act)

    def close(self) -> None:
        """Cancel running tasks and end the thread, waiting at most LAST_SECONDS."""
        loop, thread = self._loop, self._thread
        self._loop = self._thread = None
        if loop is None or thread is None:
            return
        loop.call_soon_threadsafe(loop.stop)
        thread.join(LAST_SECONDS)

    def _running(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            loop = self._loop = asyncio.new_event_loop()
            # errors that a library leaves unawaited must not reach the screen
            loop.set_exception_handler(lambda _loop, _context: None)
            self._thread = threading.Thread(target=_serve, args=(loop,), name="servers", daemon=True)
            self._thread.start()
        return self._loop


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
        unfinished = asyncio.all_tasks(loop)
        for task in unfinished:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*unfinished, return_exceptions=True))
        loop.run_until_complete(loop.shutdown_asyncgens())
    finally:
        loop.close()
