"""Fetching one web page, without cookies or a referrer, limited in size and time."""

from __future__ import annotations

import contextlib
import threading
import time
import zlib
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from typing import Any

from ctxe import __version__
from ctxe.domain.errors import ToolError
from ctxe.domain.value import dataclass, field
from ctxe.safety.addresses import Address, carries_secret, kind_of, redirect_target, refusal_reason
from ctxe.safety.display import one_line
from ctxe.tools.web.transport import PATIENCE, Resolve, WebTransport, look_up, proxy_for

MOST_BYTES = 2_000_000
"""Bytes of a page that are read, compressed as well as decompressed."""
SECONDS = 20.0
"""How long a page may take, redirects included."""
MOST_REDIRECTS = 5
CHECK_SECONDS = 0.1
"""Seconds between two checks whether the page has come; Ctrl-C works in between."""
ACCEPT = "text/markdown, text/html;q=0.9, text/plain;q=0.8, application/json;q=0.8, application/xml;q=0.7, */*;q=0.1"
HEADERS = (("User-Agent", f"ctxe/{__version__}"), ("Accept", ACCEPT), ("Accept-Encoding", "gzip, deflate"))


@dataclass(frozen=True, slots=True)
class Fetched:
    """The answer of a host: the final address, the content type, the decompressed bytes, and whether they were cut."""

    address: Address
    type: str
    data: bytes
    cut: bool = False


@dataclass(frozen=True, slots=True)
class Web:
    """Access to pages: ``environment`` may name proxies, ``own`` are secrets that must not be part of an address.

    ``named`` tells whether a rule of the user names the host of an address.
    """

    environment: Mapping[str, str] = field(default_factory=dict)
    own: tuple[str, ...] = ()
    named: Callable[[Address], bool] = lambda _: False
    resolve: Resolve = look_up
    seconds: float = SECONDS

    def allowed(self, address: Address, *, asked: bool) -> None:
        """Raise ToolError for an address that no approval can allow; to be called before the user is asked."""
        if carries_secret(address.url, self.own):
            raise ToolError("the address seems to contain a key; keys are sent to nobody")
        if reason := refusal_reason(kind_of(address.host), named=self.named(address), asked=asked):
            rule = f"host:{address.authority}"
            raise ToolError(f"{address.host} is not read: {reason}, which only a rule of the user ({rule}) allows")

    def get(self, address: Address, *, asked: bool) -> Fetched:
        """Fetch a page. Raises ToolError; Ctrl-C works at once."""
        self.allowed(address, asked=asked)
        fetching = _Fetching(self, address, asked, WebTransport(asked, self.named(address), resolve=self.resolve))
        worker = threading.Thread(target=fetching.run, name="web", daemon=True)
        until = time.monotonic() + self.seconds
        worker.start()
        try:
            while not fetching.done.wait(CHECK_SECONDS):
                if time.monotonic() > until:
                    raise ToolError(f"{address.host} took longer than {self.seconds:.0f} s")
        finally:
            fetching.transport.hang_up()
        if fetching.error is not None:
            raise fetching.error
        assert fetching.fetched is not None
        return fetching.fetched


@dataclass(slots=True)
class _Fetching:
    """One page being fetched in a thread of its own, since a name lookup cannot be interrupted."""

    web: Web
    address: Address
    asked: bool
    transport: WebTransport
    done: threading.Event = field(default_factory=threading.Event)
    fetched: Fetched | None = None
    error: Exception | None = None

    def run(self) -> None:
        """Fetch the page, and keep the answer or the error."""
        try:
            self.fetched = self._follow_redirects()
        except ToolError as error:
            self.error = error
        except Exception as error:  # of a library, or a bug: the model reads it and the session goes on
            self.error = ToolError(f"{self.address.host} could not be read: {_error_line(error)}")
        finally:
            self.done.set()

    def _follow_redirects(self) -> Fetched:
        address = self.address
        for _ in range(MOST_REDIRECTS + 1):
            answer = self._request(address)
            if isinstance(answer, Fetched):
                return answer
            address = answer
            self.web.allowed(address, asked=self.asked)
        raise ToolError(f"it redirects more than {MOST_REDIRECTS} times, last to {address.url}")

    def _request(self, address: Address) -> Fetched | Address:
        """One request: the page, or the address of a redirect."""
        import httpcore2

        proxy = proxy_for(self.web.environment, address)
        self.transport.proxied = bool(proxy)
        backend: Any = self.transport
        proxy_settings = _proxy(proxy) if proxy else None
        timeouts = dict.fromkeys(("connect", "read", "write", "pool"), PATIENCE)
        headers = [("Host", address.authority), *HEADERS]
        context = _context() if address.scheme == "https" or proxy.startswith("https") else None
        with httpcore2.ConnectionPool(ssl_context=context, proxy=proxy_settings, network_backend=backend) as pool:
            try:
                with pool.stream("GET", address.url, headers=headers, extensions={"timeout": timeouts}) as response:
                    return _answer(address, response.status, _lowered(response.headers), response.iter_stream())
            except httpcore2.TimeoutException:
                raise ToolError(f"{address.host} did not answer within {PATIENCE:.0f} s") from None


def _context() -> Any:
    """The certificates used for model providers: the system's, or those of SSL_CERT_FILE."""
    import httpx2

    return httpx2.create_ssl_context()


def _proxy(url: str) -> Any:
    """The proxy, with the user name and password in its URL."""
    from urllib.parse import unquote, urlsplit

    import httpcore2

    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    auth = (unquote(parts.username), unquote(parts.password or "")) if parts.username else None
    return httpcore2.Proxy(f"{parts.scheme}://{host}" + (f":{parts.port}" if parts.port else ""), auth=auth)


def _lowered(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1").strip() for name, value in headers}


def _answer(address: Address, status: int, headers: Mapping[str, str], pieces: Iterable[bytes]) -> Fetched | Address:
    if status in (301, 302, 303, 307, 308) and headers.get("location"):
        return redirect_target(address, headers["location"].encode("latin-1").decode("utf-8", "replace"))
    if not 200 <= status < 300:
        raise ToolError(f"{address.host} answered {status}{_MEANING.get(status, '')}")
    kind = headers.get("content-type", "")
    if not readable(kind):
        raise ToolError(f"{address.host} answered with {one_line(kind, 60)}; only text, HTML, JSON and XML are read")
    data, cut = _taken(_decompressed(pieces, headers.get("content-encoding", "")))
    return Fetched(address, kind, data, cut)


_MEANING = {401: ": it wants a login", 403: ": access is refused", 404: ": there is no such page"}
_MEANING |= {410: ": the page is gone", 429: ": too many requests; try again later"}


def readable(kind: str) -> bool:
    """Whether a content type is text that a model can read; an empty one counts as text."""
    name = kind.partition(";")[0].strip().lower()
    if name.startswith("text/") or not name:
        return name not in ("text/rtf", "text/calendar")
    readable_types = (
        "application/json",
        "application/xml",
        "application/xhtml+xml",
        "application/x-ndjson",
        "application/yaml",
    )
    return name in readable_types or (name.startswith("application/") and name.endswith(("+json", "+xml")))


def _decompressed(pieces: Iterable[bytes], coding: str) -> Iterator[bytes]:
    """Decompress a body in limited pieces, so that a decompression bomb costs no more than what is read of it."""
    name = coding.strip().lower()
    if name in ("", "identity"):
        yield from pieces
        return
    if name not in ("gzip", "x-gzip", "deflate"):
        raise ToolError(f"it is compressed in a way that was not asked for ({one_line(name, 40)})")
    decompressor, may_be_raw = zlib.decompressobj(47), name == "deflate"
    try:
        for piece in pieces:
            rest = piece
            while rest:
                try:
                    yield decompressor.decompress(rest, 65_536)
                except zlib.error:
                    if not may_be_raw:
                        raise
                    decompressor, may_be_raw = zlib.decompressobj(-15), False  # some servers send raw deflate
                    continue
                may_be_raw, rest = False, decompressor.unconsumed_tail
    except zlib.error:
        raise ToolError("its compressed bytes cannot be read") from None
    if not decompressor.eof:
        raise ToolError("its compressed bytes cannot be read: they end too early")


def _taken(pieces: Iterator[bytes]) -> tuple[bytes, bool]:
    """The first MOST_BYTES, and whether there were more."""
    data = bytearray()
    with contextlib.closing(pieces) if isinstance(pieces, Generator) else contextlib.nullcontext():
        for piece in pieces:
            data += piece
            if len(data) > MOST_BYTES:
                return bytes(data[:MOST_BYTES]), True
    return bytes(data), False


def _error_line(error: Exception) -> str:
    """An error in one line."""
    return one_line(str(error) or type(error).__name__, 200)
