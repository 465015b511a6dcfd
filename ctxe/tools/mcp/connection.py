"""A conversation with one server: connected when it is first needed, asked for its tools, called."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Literal

from ctxe.domain.errors import ToolError
from ctxe.domain.tool import Progress, ToolOutput
from ctxe.safety.display import one_line
from ctxe.tools.mcp.answer import answer
from ctxe.tools.mcp.client import closed, connected, said
from ctxe.tools.mcp.launch import Launch
from ctxe.tools.mcp.loop import Loop
from ctxe.tools.mcp.offer import NAME, Offered
from ctxe.tools.mcp.stdio import Heard

if TYPE_CHECKING:
    from mcp import Client

State = Literal["not started", "connecting", "connected", "failed"]
MOST_TOOLS = 500
"""Tools of one server that are looked at."""
STEP_SECONDS = 0.1
"""How often a waiting caller looks up, so that Ctrl-C is heard."""
PROBE_SECONDS = 2.0
"""How long a server may take to say anything after it let a call go unanswered."""
LAST_SECONDS = 4.0
"""How long a server may take to end; the keeper ends it whether we wait or not."""
SPARE_SECONDS = 1.0
"""How much later than the loop a caller gives up by itself."""


class Connection:
    """One server. Its methods are for the session's thread; what is asynchronous stays in the loop's.

    ``keep`` is given, in the loop's thread, what the server said on standard error once it has ended.
    """

    def __init__(self, launch: Launch, loop: Loop, keep: Callable[[str], None] = lambda _: None) -> None:
        self.launch = launch
        self.state: State = "not started"
        self.why = ""
        self.tools: tuple[Offered, ...] = ()
        self.instructions = ""
        self.heard = Heard()
        self._loop, self._keep = loop, keep
        self._opening: Future[None] | None = None
        self._client: Client | None = None
        self._closing: asyncio.Event | None = None
        self._living: set[asyncio.Task[None]] = set()
        self._stale = self._doubted = False

    def start(self) -> None:
        """Begin to connect, unless it is connected or on the way."""
        if not self.runs():
            self.state, self.why, self.heard = "connecting", "", Heard()
            self._opening = self._loop.run(self._open())

    def runs(self) -> bool:
        """Is it connected, or on the way? One that let a call go unanswered and says nothing more is ended."""
        if self._doubted and self.state == "connected":
            self._doubted = False
            try:
                self._again(PROBE_SECONDS)
            except ToolError:
                if ending := self.close():
                    ending.result()
        return self.state in ("connecting", "connected")

    def wait(self) -> None:
        """Until it is connected and has told its tools. Raises ToolError with why it is not, KeyboardInterrupt."""
        if self._opening is None:
            raise ToolError("it was not started")
        limit = time.monotonic() + self.launch.start_timeout + SPARE_SECONDS
        try:
            for _ in _until(self._opening, limit):
                pass
        except TimeoutError:
            self._failed(self._silent())
        if self.state != "connected":
            raise ToolError(self.why or "it has ended")
        if self._stale:
            self._again(self.launch.start_timeout)

    def call(self, tool: str, arguments: Mapping[str, Any]) -> Iterator[Progress | ToolOutput]:
        """What a tool gave. Raises ToolError when there is no answer within the time limit."""
        told: SimpleQueue[str] = SimpleQueue()
        self.heard.flow = 0
        asked = self._loop.run(self._ask(tool, arguments, told))
        limit = time.monotonic() + self.launch.timeout + SPARE_SECONDS
        try:
            for _ in _until(asked, limit):
                yield from _drained(told)
            yield asked.result()
        except TimeoutError:
            self._doubted = True
            raise ToolError(self._late()) from None
        finally:
            if asked.cancel():  # Ctrl-C came first
                self._doubted = True

    def close(self) -> Future[None] | None:
        """Begin to end it, and wait for what is ending already; None when nothing runs."""
        return self._loop.run(self._close()) if self._living else None

    def _changed(self) -> None:
        self._stale = True

    def _silent(self) -> str:
        return f"it did not answer within {self.launch.start_timeout:g} s{self.heard.quoted}"

    def _late(self) -> str:
        return f"no answer within {self.launch.timeout:g} s, the time limit (mcp.servers.{self.launch.name}.timeout)"

    def _again(self, seconds: float) -> None:
        """Ask for the tools once more: the server said that they changed. Raises ToolError."""
        limit = time.monotonic() + seconds
        listing = self._loop.run(self._list())
        try:
            for _ in _until(listing, limit):
                pass
        except TimeoutError:
            raise ToolError(self._late()) from None
        except Exception as error:
            raise ToolError(said(error, self.heard)) from None
        finally:
            listing.cancel()

    def _failed(self, why: str) -> None:
        self.state, self.why, self._client = "failed", why, None

    async def _open(self) -> None:
        """Connect, or say why not; the conversation goes on in a task of its own."""
        ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        living = asyncio.create_task(self._live(ready))
        self._living.add(living)
        living.add_done_callback(self._living.discard)
        try:
            await asyncio.wait_for(ready, self.launch.start_timeout)
        except TimeoutError:
            self._failed(self._silent())
            living.cancel()
        except ToolError as error:
            self._failed(str(error))
        except asyncio.CancelledError:
            living.cancel()
            raise

    async def _live(self, ready: asyncio.Future[None]) -> None:
        """From the first word to the last: the library wants both in one task."""
        self._closing = closing = asyncio.Event()
        heard = self.heard

        def ended() -> None:
            closing.set()
            if self._client is not None and self.heard is heard:
                self._failed(heard.why)

        try:
            async with connected(self.launch, heard, self._changed, ended) as client:
                self._client = client
                self.instructions = client.instructions or ""
                await self._list()
                self.state = "connected"
                if not ready.done():
                    ready.set_result(None)
                await closing.wait()
        except BaseException as error:
            if not ready.done():
                ready.set_exception(ToolError(heard.why or said(error, heard)))
            if isinstance(error, asyncio.CancelledError):
                raise
        finally:
            if self._client is not None and self.heard is heard:
                self._failed(heard.why or "it has ended")
            if heard.log:
                self._keep(heard.text)

    async def _list(self) -> None:
        """Every tool whose name can be called here, page by page."""
        assert self._client is not None
        self._stale = False
        found: list[Offered] = []
        cursor = None
        while len(found) < MOST_TOOLS:
            page = await self._client.list_tools(cursor=cursor, cache_mode="refresh")
            found += [
                Offered(tool.name, tool.description or tool.title or "", tool.input_schema or {})
                for tool in page.tools
                if NAME.fullmatch(tool.name)
            ]
            if not (cursor := page.next_cursor) or not page.tools:
                break
        self.tools = tuple(found[:MOST_TOOLS])

    async def _ask(self, tool: str, arguments: Mapping[str, Any], told: SimpleQueue[str]) -> ToolOutput:
        """One call. Raises ToolError and TimeoutError."""
        if (client := self._client) is None:
            raise ToolError(self.why or "it has ended")

        async def heard(progress: float, total: float | None, message: str | None) -> None:
            told.put(f"{one_line(message or '')} {progress:g}{f' of {total:g}' if total else ''}".strip() + "\n")

        try:
            async with asyncio.timeout(self.launch.timeout):
                result = await client.call_tool(tool, dict(arguments), progress_callback=heard)
        except TimeoutError:
            raise
        except Exception as error:
            raise ToolError(await self._why(error)) from None
        blocks = [block.model_dump(mode="json", by_alias=True) for block in result.content]
        return answer(blocks, result.structured_content, ok=not result.is_error)

    async def _why(self, error: Exception) -> str:
        """Why a call has no answer: what ended the server says more than that the connection is closed."""
        for _ in range(25):  # the keeper tells how it ended half a second later at most
            if self.state == "failed" or not closed(error):
                break
            await asyncio.sleep(0.02)
        return f"{self.launch.name}: {self.why if self.state == 'failed' else said(error, self.heard)}"

    async def _close(self) -> None:
        if self._closing is not None:
            self._closing.set()
        living, before = set(self._living), self.state
        if before == "connecting":
            for task in living:
                task.cancel()
        if living:
            await asyncio.wait(living, timeout=LAST_SECONDS)
        if before != "failed":
            self.state, self.why = "not started", ""


def _until(future: Future[Any], limit: float) -> Iterator[None]:
    """Wait in small steps for a future to be done. Raises TimeoutError at the limit, and what the future raised."""
    while not future.done():
        if time.monotonic() > limit:
            raise TimeoutError
        with contextlib.suppress(TimeoutError):
            future.result(STEP_SECONDS)
        yield
    if error := future.exception():
        raise error


def _drained(told: SimpleQueue[str]) -> Iterator[Progress]:
    with contextlib.suppress(Empty):
        while True:
            yield Progress(told.get_nowait())
