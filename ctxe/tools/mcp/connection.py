"""A connection to one server, for the session's thread: connected when first needed, then asked and called."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator, Iterator, Mapping
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, TypeVar

from ctxe.domain.errors import ToolError
from ctxe.domain.form import FormAnswers, FormAsker, decline
from ctxe.domain.tool import Progress, ToolOutput
from ctxe.tools.mcp import requests
from ctxe.tools.mcp.answer import Look, blind, prompt_output, resource_output, tool_output
from ctxe.tools.mcp.client import error_line
from ctxe.tools.mcp.launch import Launch
from ctxe.tools.mcp.loop import Loop
from ctxe.tools.mcp.resources import ServerOffers
from ctxe.tools.mcp.running import RunningServer, State
from ctxe.tools.mcp.server_tools import ServerTool
from ctxe.tools.mcp.subscriptions import Changes
from ctxe.tools.mcp.waiting import Deadline, PendingForm, PendingRequest, until, wait_for

if TYPE_CHECKING:
    from mcp import Client

Result = TypeVar("Result")
PROBE_SECONDS = 2.0
"""How long a server may take to answer a test request after it left a call unanswered."""


class Connection:
    """One server. Its methods are for the session's thread; asynchronous work stays in the loop's (``running``).

    ``keep`` is called, in the loop's thread, with the server's standard error once it has ended. ``look`` makes
    pictures and ``asks`` puts a server's form to the user; both are called in the session's thread. ``anew`` tells why
    the server had to be started again.
    """

    def __init__(
        self, launch: Launch, loop: Loop, keep: Callable[[str], None] = lambda _: None, look: Look = blind
    ) -> None:
        self.launch = launch
        self.server = RunningServer(launch, keep)
        self.asks: FormAsker = decline
        self.anew = ""
        self._loop, self._look = loop, look
        self._opening: Future[None] | None = None

    @property
    def state(self) -> State:
        """The state of the connection."""
        return self.server.state

    @property
    def why(self) -> str:
        """The reason for a failure; empty without one."""
        return self.server.why

    @property
    def offers(self) -> ServerOffers:
        """The server's tools, resources and prompts, as last listed."""
        return self.server.offers

    @property
    def instructions(self) -> str:
        """The server's own instructions for its use."""
        return self.server.instructions

    @property
    def changes(self) -> Changes:
        """The changes that the server has announced."""
        return self.server.changes

    @property
    def tools(self) -> tuple[ServerTool, ...]:
        """The server's tools."""
        return self.offers.tools

    def start(self) -> None:
        """Begin to connect, unless the server is connected or connecting."""
        if not self.runs():
            self.anew = self.why if self.offers != ServerOffers() else ""
            self.server.begin()
            self._opening = self._loop.run(self.server.open())

    def runs(self) -> bool:
        """Whether it is connected or connecting. A server that left a call unanswered is tested first."""
        if self.server.doubted and self.state == "connected":
            self.server.doubted = False
            try:
                self._relist(PROBE_SECONDS)
            except ToolError:
                if ending := self.close():
                    ending.result()
                self.server.why = "it stopped answering"
        return self.state in ("connecting", "connected")

    def wait(self) -> None:
        """Wait until it is connected and has listed its tools. Raises ToolError with the reason, KeyboardInterrupt."""
        if self._opening is None:
            raise ToolError("it was not started")
        try:
            wait_for(self._opening, self.launch.start_timeout)
        except TimeoutError:
            self.server.failed(self.server.silent())
        if self.state != "connected":
            raise ToolError(self.why or "it has ended")
        if self.changes.stale:
            self._relist(self.launch.start_timeout)

    def call(self, tool: str, arguments: Mapping[str, Any]) -> Iterator[Progress | ToolOutput]:
        """Call a tool: yields progress, then the output. Raises ToolError, also when the time limit passes."""

        def ask(client: Client, tell: requests.Tell) -> Coroutine[Any, Any, tuple[list[Any], Any, bool]]:
            return requests.call_tool(client, tool, arguments, tell)

        blocks, structured, ok = yield from self._wait_for(ask)
        yield tool_output(blocks, structured, ok=ok, name=f"{self.launch.name}/{tool}", look=self._look)

    def read(self, uri: str) -> Iterator[Progress | ToolOutput]:
        """Read a resource, and subscribe to its changes. Raises ToolError as a call does."""
        pending = self.changes.begin(uri)
        parts = yield from self._wait_for(lambda client, _: requests.read(client, uri))
        if pending:
            self._loop.run(self.server.watch(uri))
        yield resource_output(parts, uri, self._look)

    def prompt(self, name: str, arguments: Mapping[str, str]) -> Iterator[Progress | ToolOutput]:
        """Get the words of a prompt. Raises ToolError as a call does."""
        messages = yield from self._wait_for(lambda client, _: requests.get_prompt(client, name, arguments))
        yield prompt_output(messages, f"{self.launch.name}:{name}", self._look)

    def completes(self, ref: Mapping[str, str], argument: str, prefix: str, seconds: float) -> list[str]:
        """The server's completions of an argument; empty when it is not connected or does not answer in time."""
        client = self.server.client
        if self.state != "connected" or client is None:
            return []
        completion = self._loop.run(requests.complete(client, ref, argument, prefix))
        try:
            return completion.result(seconds)
        except Exception:  # completions are optional
            completion.cancel()
            return []

    def close(self) -> Future[None] | None:
        """Begin to end the server; the future is done when it has ended. None when nothing runs."""
        return self._loop.run(self.server.close()) if self.server.is_running else None

    def _wait_for(
        self, ask: Callable[[Client, requests.Tell], Coroutine[Any, Any, Result]]
    ) -> Generator[Progress, None, Result]:
        """Wait for a request: yields progress and returns the result. Raises ToolError."""
        pending = self.server.request = PendingRequest()
        self.server.process_state.flow = 0
        future = self._loop.run(self.server.ask(ask, pending))
        deadline = Deadline(self.launch.timeout)
        try:
            for _ in until(future, deadline):
                yield from self._handle_pieces(pending, deadline)
            return future.result()
        except TimeoutError:
            self.server.doubted = True
            raise ToolError(self.server.late()) from None
        finally:
            if future.cancel():  # Ctrl-C came first
                self.server.doubted = True
            self.server.request = None
            for piece in pending.take_pieces():
                if isinstance(piece, PendingForm):
                    piece.settle(self._loop, None)

    def _handle_pieces(self, pending: PendingRequest, deadline: Deadline) -> Iterator[Progress]:
        """Yield progress that came in, and put forms to the user; the time limit starts over after each."""
        for piece in pending.take_pieces():
            if isinstance(piece, Progress):
                yield piece
                continue
            answers: FormAnswers | None = None
            try:
                answers = self.asks(piece.form)
            finally:
                deadline.again()
                piece.settle(self._loop, answers)

    def _relist(self, seconds: float) -> None:
        """List the server's tools, resources and prompts again. Raises ToolError."""
        listing = self._loop.run(self.server.relist())
        try:
            wait_for(listing, seconds)
        except TimeoutError:
            raise ToolError(self.server.late()) from None
        except Exception as error:
            raise ToolError(error_line(error, self.server.process_state)) from None
        finally:
            listing.cancel()
