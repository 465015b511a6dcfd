"""A conversation with one server: connected when it is first needed, asked for what it offers, called."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Generator, Iterator, Mapping
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from ctxe.domain.errors import ToolError
from ctxe.domain.form import Asks, Filled, Form, declined
from ctxe.domain.tool import Progress, ToolOutput
from ctxe.tools.mcp import requests
from ctxe.tools.mcp.answer import Look, answer, blind, contents, words
from ctxe.tools.mcp.client import Hears, closed, connected, said
from ctxe.tools.mcp.launch import Launch
from ctxe.tools.mcp.loop import Loop
from ctxe.tools.mcp.offer import Offered
from ctxe.tools.mcp.resources import ServerOffers
from ctxe.tools.mcp.stdio import ServerState
from ctxe.tools.mcp.waiting import Deadline, PendingForm, PendingRequest, until, waited
from ctxe.tools.mcp.watching import Changes, Watching

if TYPE_CHECKING:
    from mcp import Client

Result = TypeVar("Result")
State = Literal["not started", "connecting", "connected", "failed"]
PROBE_SECONDS = 2.0
"""How long a server may take to say anything after it let a call go unanswered."""
LAST_SECONDS = 4.0
"""How long a server may take to end; the keeper ends it whether we wait or not."""


class Connection:
    """One server. Its methods are for the session's thread; what is asynchronous stays in the loop's.

    ``keep`` is given, in the loop's thread, what the server said on standard error once it has ended. ``look`` makes
    pictures, ``asks`` puts a server's question to the user; both are called in the session's thread. ``changes`` is
    what it said has changed; ``anew`` says why the server had to be started again.
    """

    def __init__(
        self, launch: Launch, loop: Loop, keep: Callable[[str], None] = lambda _: None, look: Look = blind
    ) -> None:
        self.launch = launch
        self.state: State = "not started"
        self.why = self.anew = ""
        self.offers = ServerOffers()
        self.instructions = ""
        self.heard = ServerState()
        self.changes = Changes()
        self.asks: Asks = declined
        self._loop, self._keep, self._look = loop, keep, look
        self._opening: Future[None] | None = None
        self._client: Client | None = None
        self._closing: asyncio.Event | None = None
        self._living: set[asyncio.Task[None]] = set()
        self._watching: Watching | None = None
        self._doubted = False
        self._told: PendingRequest | None = None

    @property
    def tools(self) -> tuple[Offered, ...]:
        """Its tools."""
        return self.offers.tools

    def start(self) -> None:
        """Begin to connect, unless it is connected or on the way."""
        if not self.runs():
            self.anew = self.why if self.offers != ServerOffers() else ""
            self.state, self.why, self.heard = "connecting", "", ServerState()
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
                self.why = "it answered no more"
        return self.state in ("connecting", "connected")

    def wait(self) -> None:
        """Until it is connected and has told what it offers. Raises ToolError with why not, KeyboardInterrupt."""
        if self._opening is None:
            raise ToolError("it was not started")
        try:
            waited(self._opening, self.launch.start_timeout)
        except TimeoutError:
            self._failed(self._silent())
        if self.state != "connected":
            raise ToolError(self.why or "it has ended")
        if self.changes.stale:
            self._again(self.launch.start_timeout)

    def call(self, tool: str, arguments: Mapping[str, Any]) -> Iterator[Progress | ToolOutput]:
        """What a tool gave. Raises ToolError when there is no answer within the time limit."""

        def ask(client: Client, tell: requests.Tell) -> Coroutine[Any, Any, tuple[list[Any], Any, bool]]:
            return requests.called(client, tool, arguments, tell)

        blocks, structured, ok = yield from self._waits(ask)
        yield answer(blocks, structured, ok=ok, name=f"{self.launch.name}/{tool}", look=self._look)

    def read(self, uri: str) -> Iterator[Progress | ToolOutput]:
        """What a resource holds; from then on its changes are listened for. Raises ToolError as a call does."""
        told = self.changes.begin(uri)
        parts = yield from self._waits(lambda client, _: requests.read(client, uri))
        if told:
            self._loop.run(self._watch(uri))
        yield contents(parts, uri, self._look)

    def prompt(self, name: str, arguments: Mapping[str, str]) -> Iterator[Progress | ToolOutput]:
        """What a prompt says. Raises ToolError as a call does."""
        messages = yield from self._waits(lambda client, _: requests.prompted(client, name, arguments))
        yield words(messages, f"{self.launch.name}:{name}", self._look)

    def completes(self, ref: Mapping[str, str], argument: str, begun: str, seconds: float) -> list[str]:
        """What the server would put for an argument, if it says so in time; only where it is connected already."""
        client = self._client
        if self.state != "connected" or client is None:
            return []
        asked = self._loop.run(requests.completed(client, ref, argument, begun))
        try:
            return asked.result(seconds)
        except Exception:  # a suggestion that does not come is none
            asked.cancel()
            return []

    def close(self) -> Future[None] | None:
        """Begin to end it, and wait for what is ending already; None when nothing runs."""
        return self._loop.run(self._close()) if self._living else None

    def _waits(
        self, ask: Callable[[Client, requests.Tell], Coroutine[Any, Any, Result]]
    ) -> Generator[Progress, None, Result]:
        """What a request gave; progress on the way. Raises ToolError."""
        told = self._told = PendingRequest()
        self.heard.flow = 0
        asked = self._loop.run(self._ask(ask, told))
        patience = Deadline(self.launch.timeout)
        try:
            for _ in until(asked, patience):
                yield from self._heard(told, patience)
            return asked.result()
        except TimeoutError:
            self._doubted = True
            raise ToolError(self._late()) from None
        finally:
            if asked.cancel():  # Ctrl-C came first
                self._doubted = True
            self._told = None
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

    def _silent(self) -> str:
        return f"it did not answer within {self.launch.start_timeout:g} s{self.heard.quoted}"

    def _late(self) -> str:
        return f"no answer within {self.launch.timeout:g} s, the time limit (mcp.servers.{self.launch.name}.timeout)"

    def _again(self, seconds: float) -> None:
        """Ask for what it offers once more: the server said that it changed. Raises ToolError."""
        listing = self._loop.run(self._list())
        try:
            waited(listing, seconds)
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
        heard, hears = self.heard, self._hears()

        def ended() -> None:
            closing.set()
            if self._client is not None and self.heard is heard:
                self._failed(heard.why)

        try:
            async with connected(self.launch, heard, hears, ended) as client:
                self._client = client
                self.instructions = client.instructions or ""
                await self._list()
                watching = self._watching = Watching(client, hears)
                watching.begin()
                self.state = "connected"
                if not ready.done():
                    ready.set_result(None)
                await closing.wait()
                await watching.end()
        except BaseException as error:
            heard.why = heard.why or said(error, heard)
            if not ready.done():
                ready.set_exception(ToolError(heard.why))
            if isinstance(error, asyncio.CancelledError):
                raise
        finally:
            if self._client is not None and self.heard is heard:
                self._failed(heard.why or "it has ended")
            if heard.log:
                self._keep(heard.text)

    def _hears(self) -> Hears:
        return Hears(self.changes.lists, self.changes.resource, self._form)

    async def _list(self) -> None:
        assert self._client is not None
        self.changes.stale = False
        self.offers = await requests.offers(self._client)

    async def _watch(self, uri: str) -> None:
        if self._watching is not None:
            self._watching.begin(uri)

    async def _form(self, form: Form) -> Filled | None:
        """Let the caller that waits ask its user; nobody is asked while nobody waits."""
        return await told.asked(form, self.launch.timeout) if (told := self._told) else None

    async def _ask(
        self, ask: Callable[[Client, requests.Tell], Coroutine[Any, Any, Result]], told: PendingRequest
    ) -> Result:
        """One request. Raises ToolError and TimeoutError."""
        client = self._client
        if client is None:
            raise ToolError(self.why or "it has ended")
        try:
            async with asyncio.timeout(self.launch.timeout) as told.clock:
                return await ask(client, told.pieces.put)
        except (TimeoutError, ToolError):
            raise
        except Exception as error:
            self._doubted = self._doubted or bool(self.launch.url)  # it may have forgotten us
            raise ToolError(await self._why(error)) from None
        finally:
            told.clock = None

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
