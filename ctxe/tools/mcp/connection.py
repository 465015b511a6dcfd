"""A conversation with one server: connected when it is first needed, asked for what it offers, called."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator, Iterator, Mapping
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, TypeVar

from ctxe.domain.errors import ToolError
from ctxe.domain.form import Asks, Filled, declined
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
from ctxe.tools.mcp.waiting import Deadline, PendingForm, PendingRequest, until, waited

if TYPE_CHECKING:
    from mcp import Client

Result = TypeVar("Result")
PROBE_SECONDS = 2.0
"""How long a server may take to say anything after it let a call go unanswered."""


class Connection:
    """One server. Its methods are for the session's thread; what is asynchronous stays in the loop's (running.py).

    ``keep`` is given, in the loop's thread, what the server said on standard error once it has ended. ``look`` makes
    pictures, ``asks`` puts a server's question to the user; both are called in the session's thread. ``anew`` says
    why the server had to be started again.
    """

    def __init__(
        self, launch: Launch, loop: Loop, keep: Callable[[str], None] = lambda _: None, look: Look = blind
    ) -> None:
        self.launch = launch
        self.server = RunningServer(launch, keep)
        self.asks: Asks = declined
        self.anew = ""
        self._loop, self._look = loop, look
        self._opening: Future[None] | None = None

    @property
    def state(self) -> State:
        """How far it is."""
        return self.server.state

    @property
    def why(self) -> str:
        """Why it failed."""
        return self.server.why

    @property
    def offers(self) -> ServerOffers:
        """What it offers, as far as it has told."""
        return self.server.offers

    @property
    def instructions(self) -> str:
        """What it says of its use."""
        return self.server.instructions

    @property
    def changes(self) -> Changes:
        """What it said has changed."""
        return self.server.changes

    @property
    def tools(self) -> tuple[ServerTool, ...]:
        """Its tools."""
        return self.offers.tools

    def start(self) -> None:
        """Begin to connect, unless it is connected or on the way."""
        if not self.runs():
            self.anew = self.why if self.offers != ServerOffers() else ""
            self.server.begin()
            self._opening = self._loop.run(self.server.open())

    def runs(self) -> bool:
        """Is it connected, or on the way? One that let a call go unanswered and says nothing more is ended."""
        if self.server.doubted and self.state == "connected":
            self.server.doubted = False
            try:
                self._again(PROBE_SECONDS)
            except ToolError:
                if ending := self.close():
                    ending.result()
                self.server.why = "it answered no more"
        return self.state in ("connecting", "connected")

    def wait(self) -> None:
        """Until it is connected and has told what it offers. Raises ToolError with why not, KeyboardInterrupt."""
        if self._opening is None:
            raise ToolError("it was not started")
        try:
            waited(self._opening, self.launch.start_timeout)
        except TimeoutError:
            self.server.failed(self.server.silent())
        if self.state != "connected":
            raise ToolError(self.why or "it has ended")
        if self.changes.stale:
            self._again(self.launch.start_timeout)

    def call(self, tool: str, arguments: Mapping[str, Any]) -> Iterator[Progress | ToolOutput]:
        """What a tool gave. Raises ToolError when there is no answer within the time limit."""

        def ask(client: Client, tell: requests.Tell) -> Coroutine[Any, Any, tuple[list[Any], Any, bool]]:
            return requests.call_tool(client, tool, arguments, tell)

        blocks, structured, ok = yield from self._waits(ask)
        yield tool_output(blocks, structured, ok=ok, name=f"{self.launch.name}/{tool}", look=self._look)

    def read(self, uri: str) -> Iterator[Progress | ToolOutput]:
        """What a resource holds; from then on its changes are listened for. Raises ToolError as a call does."""
        told = self.changes.begin(uri)
        parts = yield from self._waits(lambda client, _: requests.read(client, uri))
        if told:
            self._loop.run(self.server.watch(uri))
        yield resource_output(parts, uri, self._look)

    def prompt(self, name: str, arguments: Mapping[str, str]) -> Iterator[Progress | ToolOutput]:
        """What a prompt says. Raises ToolError as a call does."""
        messages = yield from self._waits(lambda client, _: requests.get_prompt(client, name, arguments))
        yield prompt_output(messages, f"{self.launch.name}:{name}", self._look)

    def completes(self, ref: Mapping[str, str], argument: str, begun: str, seconds: float) -> list[str]:
        """What the server would put for an argument, if it says so in time; only where it is connected already."""
        client = self.server.client
        if self.state != "connected" or client is None:
            return []
        asked = self._loop.run(requests.complete(client, ref, argument, begun))
        try:
            return asked.result(seconds)
        except Exception:  # a suggestion that does not come is none
            asked.cancel()
            return []

    def close(self) -> Future[None] | None:
        """Begin to end it, and wait for what is ending already; None when nothing runs."""
        return self._loop.run(self.server.close()) if self.server.goes_on else None

    def _waits(
        self, ask: Callable[[Client, requests.Tell], Coroutine[Any, Any, Result]]
    ) -> Generator[Progress, None, Result]:
        """What a request gave; progress on the way. Raises ToolError."""
        told = self.server.told = PendingRequest()
        self.server.heard.flow = 0
        asked = self._loop.run(self.server.ask(ask, told))
        patience = Deadline(self.launch.timeout)
        try:
            for _ in until(asked, patience):
                yield from self._heard(told, patience)
            return asked.result()
        except TimeoutError:
            self.server.doubted = True
            raise ToolError(self.server.late()) from None
        finally:
            if asked.cancel():  # Ctrl-C came first
                self.server.doubted = True
            self.server.told = None
            for piece in told.drained():
                if isinstance(piece, PendingForm):
                    piece.settle(self._loop, None)

    def _heard(self, told: PendingRequest, patience: Deadline) -> Iterator[Progress]:
        """What was told since; a form is put to the user, whose time is not the server's."""
        for piece in told.drained():
            if isinstance(piece, Progress):
                yield piece
                continue
            filled: Filled | None = None
            try:
                filled = self.asks(piece.form)
            finally:
                patience.again()
                piece.settle(self._loop, filled)

    def _again(self, seconds: float) -> None:
        """Ask for what it offers once more: the server said that it changed. Raises ToolError."""
        listing = self._loop.run(self.server.relist())
        try:
            waited(listing, seconds)
        except TimeoutError:
            raise ToolError(self.server.late()) from None
        except Exception as error:
            raise ToolError(error_line(error, self.server.heard)) from None
        finally:
            listing.cancel()
