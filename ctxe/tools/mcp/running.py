"""The coroutines of one server, for the loop's thread: connecting, requests, subscriptions, closing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from ctxe.domain.errors import ToolError
from ctxe.domain.form import Form, FormAnswers
from ctxe.tools.mcp import requests
from ctxe.tools.mcp.client import ServerCallbacks, connected, error_line, is_closed
from ctxe.tools.mcp.launch import Launch
from ctxe.tools.mcp.resources import ServerOffers
from ctxe.tools.mcp.stdio import ServerState
from ctxe.tools.mcp.subscriptions import Changes, Subscriptions
from ctxe.tools.mcp.waiting import PendingRequest

if TYPE_CHECKING:
    from mcp import Client

Result = TypeVar("Result")
State = Literal["not started", "connecting", "connected", "failed"]
LAST_SECONDS = 4.0
"""How long to wait for a server to end; the keeper ends it in any case."""


class RunningServer:
    """One server: its state, which other threads may read, and its coroutines, which they give to the loop.

    ``why`` is the reason for a failure, ``doubted`` means that it left a request unanswered, ``request`` is the one in
    progress. ``keep`` is called with its standard error when it has ended.
    """

    def __init__(self, launch: Launch, keep: Callable[[str], None]) -> None:
        self.launch, self._keep = launch, keep
        self.state: State = "not started"
        self.why = self.instructions = ""
        self.offers = ServerOffers()
        self.process_state = ServerState()
        self.changes = Changes()
        self.client: Client | None = None
        self.request: PendingRequest | None = None
        self.doubted = False
        self._close_event: asyncio.Event | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._subscriptions: Subscriptions | None = None

    @property
    def is_running(self) -> bool:
        """Whether a task of this server is still running."""
        return bool(self._tasks)

    def begin(self) -> None:
        """Reset the state for a new start."""
        self.state, self.why, self.process_state = "connecting", "", ServerState()

    def failed(self, why: str) -> None:
        """Mark the server as failed."""
        self.state, self.why, self.client = "failed", why, None

    async def open(self) -> None:
        """Connect, or mark the server as failed; a task of its own then keeps the connection open."""
        ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(self._live(ready))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            await asyncio.wait_for(ready, self.launch.start_timeout)
        except TimeoutError:
            self.failed(self.silent())
            task.cancel()
        except ToolError as error:
            self.failed(str(error))
        except asyncio.CancelledError:
            task.cancel()
            raise

    async def _live(self, ready: asyncio.Future[None]) -> None:
        """The whole life of a connection; the library requires it to be opened and closed in the same task."""
        self._close_event = closing = asyncio.Event()
        server_state, callbacks = self.process_state, self._callbacks()

        def ended() -> None:
            closing.set()
            if self.client is not None and self.process_state is server_state:
                self.failed(server_state.why)

        try:
            async with connected(self.launch, server_state, callbacks, ended) as client:
                self.client = client
                self.instructions = client.instructions or ""
                await self.relist()
                watching = self._subscriptions = Subscriptions(client, callbacks)
                watching.begin()
                self.state = "connected"
                if not ready.done():
                    ready.set_result(None)
                await closing.wait()
                await watching.end()
        except BaseException as error:
            server_state.why = server_state.why or error_line(error, server_state)
            if not ready.done():
                ready.set_exception(ToolError(server_state.why))
            if isinstance(error, asyncio.CancelledError):
                raise
        finally:
            if self.client is not None and self.process_state is server_state:
                self.failed(server_state.why or "it has ended")
            if server_state.log:
                self._keep(server_state.text)

    def _callbacks(self) -> ServerCallbacks:
        return ServerCallbacks(self.changes.lists, self.changes.resource, self._form)

    async def relist(self) -> None:
        """List the server's tools, resources and prompts."""
        assert self.client is not None
        self.changes.stale = False
        self.offers = await requests.offers(self.client)

    async def watch(self, uri: str) -> None:
        """Listen for changes of a resource."""
        if self._subscriptions is not None:
            self._subscriptions.begin(uri)

    async def _form(self, form: Form) -> FormAnswers | None:
        """Have the user fill in a form through the waiting caller; None when no caller waits."""
        return await request.ask_user(form, self.launch.timeout) if (request := self.request) else None

    async def ask(
        self, ask: Callable[[Client, requests.Tell], Coroutine[Any, Any, Result]], request: PendingRequest
    ) -> Result:
        """Make one request. Raises ToolError and TimeoutError."""
        client = self.client
        if client is None:
            raise ToolError(self.why or "it has ended")
        try:
            async with asyncio.timeout(self.launch.timeout) as request.clock:
                return await ask(client, request.pieces.put)
        except (TimeoutError, ToolError):
            raise
        except Exception as error:
            self.doubted = self.doubted or bool(self.launch.url)  # the remote session may have expired
            raise ToolError(await self._why(error)) from None
        finally:
            request.clock = None

    async def _why(self, error: Exception) -> str:
        """Why a call failed; for a closed connection, why the server ended, which says more."""
        for _ in range(25):  # the keeper's report comes within half a second
            if self.state == "failed" or not is_closed(error):
                break
            await asyncio.sleep(0.02)
        return f"{self.launch.name}: {self.why if self.state == 'failed' else error_line(error, self.process_state)}"

    async def close(self) -> None:
        """End the connection and the server, and wait for it."""
        if self._close_event is not None:
            self._close_event.set()
        tasks, before = set(self._tasks), self.state
        if before == "connecting":
            for task in tasks:
                task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=LAST_SECONDS)
        if before != "failed":
            self.state, self.why = "not started", ""

    def silent(self) -> str:
        """The reason when the start timed out."""
        return f"it did not answer within {self.launch.start_timeout:g} s{self.process_state.quoted}"

    def late(self) -> str:
        """The reason when a request timed out."""
        return f"no answer within {self.launch.timeout:g} s, the time limit (mcp.servers.{self.launch.name}.timeout)"
