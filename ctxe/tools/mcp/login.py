"""Signing in at an address by OAuth 2.1: where the user is sent, and what they come back with, on loopback."""

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
HERE = (LOOPBACK, "localhost", "::1")
PATH = "/callback"
LONGEST_REQUEST = 16_384
"""Bytes of the browser's request that are read."""
READ_SECONDS = 5.0
DONE = "You are signed in. This page may be closed."
REFUSED = "You are not signed in."
ODD = "This is not what was waited for."


@dataclass(frozen=True, slots=True)
class Client:
    """A program that the address knows already, for those that register none by themselves."""

    id: str
    secret: str = ""


class Login:
    """One sign-in under way: told in the loop's thread where the user must go, given in another what came of it."""

    def __init__(self, loop: Loop, client: Client | None = None, port: int = 0) -> None:
        self.client, self.port = client, port
        self.asked = False
        self._loop = loop
        self._urls: SimpleQueue[str] = SimpleQueue()
        self._state = ""
        self._came: asyncio.Future[AuthorizationCodeResult] | None = None

    def told(self) -> Iterator[str]:
        """Addresses that the user must open, those that were not told yet."""
        with contextlib.suppress(Empty):
            while True:
                yield self._urls.get_nowait()

    def paste(self, address: str) -> bool:
        """Take the address that the user's browser was sent to; False when it is none of this sign-in."""
        answer = self._answer(address)
        if answer is not None:
            self._loop.call(lambda: self._settle(answer))
        return answer is not None

    async def go(self, url: str) -> None:
        """Send the user to an address."""
        self._state = next(iter(parse_qs(urlsplit(url).query).get("state", [])), "")
        self._came = asyncio.get_running_loop().create_future()
        self.asked = True
        self._urls.put(url)

    async def came(self) -> AuthorizationCodeResult:
        """What the user came back with. Raises ToolError when that is a refusal."""
        assert self._came is not None  # the library sends them first
        return await self._came

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[str]:
        """The address on loopback where the browser is sent back to, while it is listened at."""
        server = await asyncio.start_server(self._hear, LOOPBACK, self.port, limit=LONGEST_REQUEST)
        try:
            yield f"http://{LOOPBACK}:{server.sockets[0].getsockname()[1]}{PATH}"
        finally:
            server.close()

    async def _hear(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer a browser; a request that is not of this sign-in changes nothing."""
        answer = None
        try:
            async with asyncio.timeout(READ_SECONDS):
                head = await reader.readuntil(b"\r\n\r\n")
            method, target, *_ = head.decode("latin-1").split(" ", 2)
            answer = self._answer(target) if method == "GET" else None
            page = ODD if answer is None else REFUSED if isinstance(answer, ToolError) else DONE
            status = "200 OK" if answer else "400 Bad Request"
            said = f"HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\nReferrer-Policy: no-referrer\r\n"
            writer.write(f"{said}Content-Length: {len(page)}\r\nConnection: close\r\n\r\n{page}".encode())
            await writer.drain()
        except (OSError, ValueError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            writer.close()
        if answer is not None:
            self._settle(answer)

    def _answer(self, address: str) -> AuthorizationCodeResult | ToolError | None:
        """A code, or why there is none; nothing for an address with another state, or none."""
        from mcp.shared.auth import AuthorizationCodeResult

        parts = urlsplit(address.strip())
        given = {key: values[0] for key, values in parse_qs(parts.query).items()}
        if parts.path != PATH or not self._state or given.get("state") != self._state:
            return None
        if "code" in given:
            return AuthorizationCodeResult(code=given["code"], state=given["state"], iss=given.get("iss"))
        why = given.get("error_description") or given.get("error") or "no reason given"
        return ToolError(f"the sign-in was refused: {why:.200}")

    def _settle(self, answer: AuthorizationCodeResult | ToolError) -> None:
        if self._came is None or self._came.done():
            return
        if isinstance(answer, ToolError):
            self._came.set_exception(answer)
        else:
            self._came.set_result(answer)


def require_safe(url: str, server: str) -> None:
    """Raise ToolError for an address to which nothing secret may go: only https will do; to this machine only a server
    that is on it may send us, for others it is a way to what listens here.
    """
    parts = urlsplit(url)
    if parts.scheme == "https" and parts.hostname and (parts.hostname not in HERE or is_local(server)):
        return
    if parts.scheme != "http" or not (is_local(url) and is_local(server)):
        raise ToolError(f"{parts.scheme}://{parts.hostname or ''} is not an address to sign in at: https is needed")


def is_local(url: str) -> bool:
    """Is an address on this machine?"""
    return urlsplit(url).hostname in HERE
