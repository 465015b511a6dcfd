"""Signing in at an address by OAuth 2.1: the library's flow, its answer on loopback, and what is kept of it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import parse_qs, urlsplit

from ctxe.domain.errors import ToolError
from ctxe.domain.value import dataclass
from ctxe.tools.mcp.loop import Loop
from ctxe.tools.mcp.tokens import keep, kept

if TYPE_CHECKING:
    import httpx2
    from mcp.client.auth import OAuthClientProvider
    from mcp.shared.auth import AuthorizationCodeResult, OAuthClientInformationFull, OAuthToken
    from pydantic import BaseModel

Kind = TypeVar("Kind", bound="BaseModel")
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


def safe(url: str, server: str) -> None:
    """Raise ToolError for an address to which nothing secret may go: only https will do; to this machine only a server
    that is on it may send us, for others it is a way to what listens here.
    """
    parts = urlsplit(url)
    if parts.scheme == "https" and parts.hostname and (parts.hostname not in HERE or here(server)):
        return
    if parts.scheme != "http" or not (here(url) and here(server)):
        raise ToolError(f"{parts.scheme}://{parts.hostname or ''} is not an address to sign in at: https is needed")


def here(url: str) -> bool:
    """Is an address on this machine?"""
    return urlsplit(url).hostname in HERE


class Storage:
    """Where the library keeps what it has: all of it in one file, written when there are tokens."""

    def __init__(self, path: Path, url: str, client: OAuthClientInformationFull | None, *, anew: bool) -> None:
        self.path, self.url, self.client = path, url, client
        self.record = {} if anew else kept(path)
        self.provider: OAuthClientProvider | None = None

    async def get_tokens(self) -> OAuthToken | None:
        """Those of the file."""
        from mcp.shared.auth import OAuthToken

        return _of(OAuthToken, self.record.get("tokens"))

    async def set_tokens(self, tokens: OAuthToken) -> None:
        """Keep them, with all that is needed to have new ones later. Raises StoreError."""
        assert self.provider is not None
        held = self.provider.context
        self.record = {
            "url": self.url,
            "tokens": _json(tokens),
            "ends": held.token_expiry_time,
            "client": _json(held.client_info),
            "issuer": _json(held.oauth_metadata),
            "resource": _json(held.protected_resource_metadata),
        }
        keep(self.path, self.record)

    def renewed(self) -> bool:
        """Does the file hold something else than before? It is taken over."""
        before, self.record = self.record, kept(self.path)
        return self.record != before

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        """As what we are known there."""
        from mcp.shared.auth import OAuthClientInformationFull

        return self.client or _of(OAuthClientInformationFull, self.record.get("client"))

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        """Kept with the tokens: without them it is worth nothing."""


def provider(name: str, url: str, path: Path, back: str = "", login: Login | None = None) -> httpx2.Auth:
    """What signs each request to an address with the tokens of a file, and gets new ones when they end.

    With ``login`` the user is asked, and sent ``back`` to that address on loopback; without it nobody is.
    """
    from mcp.client.auth import OAuthClientProvider
    from mcp.shared.auth import OAuthClientMetadata

    class Signs(OAuthClientProvider):
        async def _auth_flow(self, request: httpx2.Request) -> AsyncGenerator[httpx2.Request, httpx2.Response]:
            """The library's flow, with two things it has not: tokens that are refused before their time are renewed,
            and where nobody can sign in nothing is begun that ends in a question. What another session renewed, or
            took back, holds here at once.
            """
            if login is None and storage.renewed():
                self._initialized = False
                _restore(self, storage.record)
            renewed, flow = False, super()._auth_flow(request)
            try:
                outgoing = await anext(flow)
                while True:
                    if outgoing is not request:
                        safe(str(outgoing.url), url)
                    response = yield outgoing
                    refused = outgoing is request and login is None and _refused(response)
                    if refused and response.status_code == 401 and not renewed and self.context.can_refresh_token():
                        await flow.aclose()
                        renewed, flow = True, super()._auth_flow(request)
                        self.context.token_expiry_time = 1.0
                        outgoing = await anext(flow)
                        continue
                    if refused:
                        raise ToolError(f"the sign-in no longer holds: `ctxe mcp login {name}` signs in anew")
                    outgoing = await flow.asend(response)
            except StopAsyncIteration:
                return
            finally:
                await flow.aclose()

    metadata = OAuthClientMetadata.model_validate(
        {
            "client_name": "ctxe",
            "redirect_uris": [back or f"http://{LOOPBACK}{PATH}"],
            "grant_types": ["authorization_code", "refresh_token"],
            "token_endpoint_auth_method": "none",
        }
    )

    async def go(address: str) -> None:
        assert login is not None
        safe(address, url)
        await login.go(address)

    storage = Storage(path, url, _known(login, metadata), anew=login is not None)
    made = Signs(url, metadata, storage, go if login else None, login.came if login else None)
    storage.provider = made
    _restore(made, storage.record)
    return made


def _refused(response: httpx2.Response) -> bool:
    """Does an address want another sign-in: none at all that holds, or one with more rights?"""
    more = response.status_code == 403 and "insufficient_scope" in response.headers.get("www-authenticate", "")
    return response.status_code == 401 or more


def _known(login: Login | None, metadata: Any) -> OAuthClientInformationFull | None:
    """A client that the user was given by hand."""
    from mcp.shared.auth import OAuthClientInformationFull

    if login is None or login.client is None:
        return None
    secret = login.client.secret or None
    method = "client_secret_post" if secret else "none"
    given = {**_json(metadata), "client_id": login.client.id, "token_endpoint_auth_method": method}
    return OAuthClientInformationFull.model_validate({**given, **({"client_secret": secret} if secret else {})})


def _restore(made: OAuthClientProvider, record: dict[str, Any]) -> None:
    """Give the library what it does not keep itself: when tokens end, and where new ones are had."""
    from mcp.shared.auth import OAuthMetadata, ProtectedResourceMetadata

    ends = record.get("ends")
    made.context.token_expiry_time = float(ends) if isinstance(ends, int | float) else None
    made.context.oauth_metadata = _of(OAuthMetadata, record.get("issuer"))
    made.context.protected_resource_metadata = _of(ProtectedResourceMetadata, record.get("resource"))


def _of(kind: type[Kind], given: Any) -> Kind | None:
    """What a file holds of a kind; nothing where it is damaged: an error would tell what stands in it."""
    from pydantic import ValidationError

    try:
        return kind.model_validate(given) if given else None
    except ValidationError:
        return None


def _json(model: Any) -> Any:
    return model.model_dump(mode="json", exclude_none=True) if model is not None else None
