"""Signing in to a server by OAuth 2.1: the user's browser is sent to a URL and comes back to one on loopback."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from ctxe.domain.errors import ToolError
from ctxe.domain.value import dataclass
from ctxe.tools.mcp.loop import Loop

if TYPE_CHECKING:
    from mcp.shared.auth import AuthorizationCodeResult

LOOPBACK = "127.0.0.1"
LOCAL_HOSTS = (LOOPBACK, "localhost", "::1")
PATH = "/callback"
LONGEST_REQUEST = 16_384
"""Bytes of the browser's request that are read."""
READ_SECONDS = 5.0
SIGNED_IN = "You are signed in. This page may be closed."
NOT_SIGNED_IN = "You are not signed in."
UNEXPECTED = "This is not the expected answer."


@dataclass(frozen=True, slots=True)
class Client:
    """A client registration made by hand, for servers that do not register clients themselves."""

    id: str
    secret: str = ""


class Login:
    """A sign-in in progress: the loop's thread gives a URL for the user and waits; another thread may paste a reply."""

    def __init__(self, loop: Loop, client: Client | None = None, port: int = 0) -> None:
        self.client, self.port = client, port
        self.asked = False
        self._loop = loop
        self._urls: SimpleQueue[str] = SimpleQueue()
        self._state = ""
        self._reply: asyncio.Future[AuthorizationCodeResult] | None = None

    def take_urls(self) -> Iterator[str]:
        """URLs that the user must open, each given once."""
        with contextlib.suppress(Empty):
            while True:
                yield self._urls.get_nowait()

    def paste(self, address: str) -> bool:
        """Take the URL that the user's browser was sent to; False when it does not belong to this sign-in."""
        answer = self._answer(address)
        if answer is not None:
            self._loop.call(lambda: self._settle(answer))
        return answer is not None

    async def open_url(self, url: str) -> None:
        """Send the user to a URL."""
        self._state = next(iter(parse_qs(urlsplit(url).query).get("state", [])), "")
        self._reply = asyncio.get_running_loop().create_future()
        self.asked = True
        self._urls.put(url)

    async def wait_for_code(self) -> AuthorizationCodeResult:
        """Wait for the answer. Raises ToolError when it is a refusal."""
        assert self._reply is not None  # the library calls go first
        return await self._reply

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[str]:
        """Listen on loopback; gives the URL to which the browser is to be sent back."""
        server = await asyncio.start_server(self._hear, LOOPBACK, self.port, limit=LONGEST_REQUEST)
        try:
            yield f"http://{LOOPBACK}:{server.sockets[0].getsockname()[1]}{PATH}"
        finally:
            server.close()

    async def _hear(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer a request of a browser; one that does not belong to this sign-in is ignored."""
        answer = None
        try:
            async with asyncio.timeout(READ_SECONDS):
                head = await reader.readuntil(b"\r\n\r\n")
            method, target, *_ = head.decode("latin-1").split(" ", 2)
            answer = self._answer(target) if method == "GET" else None
            page = UNEXPECTED if answer is None else NOT_SIGNED_IN if isinstance(answer, ToolError) else SIGNED_IN
            status = "200 OK" if answer else "400 Bad Request"
            headers = (
                f"HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\nReferrer-Policy: no-referrer\r\n"
            )
            writer.write(f"{headers}Content-Length: {len(page)}\r\nConnection: close\r\n\r\n{page}".encode())
            await writer.drain()
        except (OSError, ValueError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            writer.close()
        if answer is not None:
            self._settle(answer)

    def _answer(self, address: str) -> AuthorizationCodeResult | ToolError | None:
        """The authorization code in a URL, or the refusal; None for a URL with another state or none."""
        from mcp.shared.auth import AuthorizationCodeResult

        parts = urlsplit(address.strip())
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        if parts.path != PATH or not self._state or query.get("state") != self._state:
            return None
        if "code" in query:
            return AuthorizationCodeResult(code=query["code"], state=query["state"], iss=query.get("iss"))
        reason = query.get("error_description") or query.get("error") or "no reason given"
        return ToolError(f"the sign-in was refused: {reason:.200}")

    def _settle(self, answer: AuthorizationCodeResult | ToolError) -> None:
        if self._reply is None or self._reply.done():
            return
        if isinstance(answer, ToolError):
            self._reply.set_exception(answer)
        else:
            self._reply.set_result(answer)


def require_safe(url: str, server: str) -> None:
    """Raise ToolError for a URL that secrets must not be sent to. It must be https, or on this machine like ``server``.

    A server elsewhere may not send us to this machine, where it could reach local services.
    """
    parts = urlsplit(url)
    if parts.scheme == "https" and parts.hostname and (parts.hostname not in LOCAL_HOSTS or is_local(server)):
        return
    if parts.scheme != "http" or not (is_local(url) and is_local(server)):
        raise ToolError(f"{parts.scheme}://{parts.hostname or ''} is not an address to sign in at: https is needed")


def is_local(url: str) -> bool:
    """Whether a URL is on this machine."""
    return urlsplit(url).hostname in LOCAL_HOSTS
