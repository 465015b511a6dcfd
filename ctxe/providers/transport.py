"""Requests to one endpoint by an official SDK, which signs and sends them; the answer's bytes are parsed here."""

from __future__ import annotations

import contextlib
import json
import threading
import time
import weakref
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, Literal
from urllib.parse import SplitResult, parse_qsl, urlsplit

from ctxe.providers import faults, sse
from ctxe.providers.faults import Endpoint, RequestFault
from ctxe.providers.retry import RetryLimits

SDK = Literal["openai", "anthropic"]

MOST_REFUSED = 100_000
"""Bytes of an error response that are read."""


class _Refused(Exception):
    """An error response, with the beginning of its body."""

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        super().__init__(f"answered {status}")
        self.status, self.headers, self.body = status, headers, body


def encode(body: Mapping[str, Any]) -> bytes:
    """Encode a body; the same value gives the same bytes, and lone surrogates become question marks."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode("utf-8", "replace")


class Transport:
    """Posts JSON and reads events. The SDK is imported and its client made on first use, or by ``warm``.

    ``official``: this is the provider's own host, which may get the SDK's extra settings (organisation, project).
    Redirects are never followed, so that no other host gets the key; loopback is reached without a proxy.
    """

    def __init__(self, sdk: SDK, endpoint: Endpoint, patience: RetryLimits, *, official: bool = False) -> None:
        self.endpoint, self.patience = endpoint, patience
        self._sdk_name, self._official = sdk, official
        self._client_lock = threading.Lock()
        self._sdk_client: Any = None

    def __repr__(self) -> str:
        return f"Transport({self._sdk_name}, {self.endpoint.shown})"

    def events(self, path: str, body: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        """The JSON events of a streamed answer; closing the iterator closes the connection. Raises RequestFault."""
        sdk = self._sdk()
        options = {"headers": {"Accept": "text/event-stream"}}
        try:
            stream = self._client().post(
                path, content=encode(body), cast_to=object, stream=True, stream_cls=sdk.Stream[object], options=options
            )
            try:
                yield from sse.events(stream.response.iter_bytes())
            finally:
                stream.response.close()
        except Exception as error:
            raise self._fault(error) from None

    def ask(self, path: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """The JSON object that answers a request without streaming. Raises RequestFault."""
        try:
            answer = self._client().post(path, content=encode(body), cast_to=object)
        except Exception as error:
            raise self._fault(error) from None
        if not isinstance(answer, Mapping):
            raise faults.broken(self.endpoint, "not JSON")
        return answer

    def listed(self, path: str) -> tuple[str, ...]:
        """The names of the models that the host lists at ``path``, free of charge. Raises RequestFault."""
        try:
            answer = self._client().get(path, cast_to=object)
        except Exception as error:
            raise self._fault(error) from None
        entries = answer.get("data") if isinstance(answer, Mapping) else None
        if not isinstance(entries, list):
            raise faults.broken(self.endpoint, "not a list of models")
        return tuple(
            entry["id"] for entry in entries if isinstance(entry, Mapping) and isinstance(entry.get("id"), str)
        )

    def warm(self) -> None:
        """Import the SDK and make the client, so that the first request is faster."""
        self._client()

    def _sdk(self) -> Any:
        if self._sdk_name == "openai":
            import openai

            return openai
        import anthropic

        return anthropic

    def _client(self) -> Any:
        with self._client_lock:
            if self._sdk_client is None:
                self._sdk_client = self._make_client()
            return self._sdk_client

    def _make_client(self) -> Any:
        sdk = self._sdk()
        timeout = sdk.Timeout(self.patience.idle, connect=self.patience.connect)
        http = self._http(sdk, timeout)
        weakref.finalize(self, http.close)
        address = urlsplit(self.endpoint.address)
        shared: dict[str, Any] = {"base_url": address._replace(query="").geturl(), "default_query": _query(address)}
        shared |= {"max_retries": 0, "timeout": timeout, "http_client": http}
        if self._sdk_name == "anthropic":
            return sdk.Anthropic(api_key=self.endpoint.key or "none", open_telemetry=False, **shared)
        azure = {"api-key": self.endpoint.key} if (address.hostname or "").endswith(".azure.com") else None
        client = sdk.OpenAI(api_key=self.endpoint.key or "none", default_headers=azure, **shared)
        if not self._official:  # other hosts must not see the user's OPENAI_ORG_ID
            client.organization = client.project = None
        return client

    def _http(self, sdk: Any, timeout: Any) -> Any:
        """The HTTP client for the SDK. For loopback it has no proxy and no certificates, whose loading takes 50 ms."""
        import httpx2

        # commands run between requests: keeping a connection for a minute saves most handshakes
        shared: Any = {"timeout": timeout, "follow_redirects": False, "limits": httpx2.Limits(keepalive_expiry=60)}
        shared["event_hooks"] = {"response": [partial(_raise_refusal, seconds=self.patience.refusal)]}
        if not (self.endpoint.local and self.endpoint.address.startswith("http://")):
            return self._outward(sdk, shared)
        import ssl

        return httpx2.Client(trust_env=False, verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), **shared)

    def _outward(self, sdk: Any, shared: Mapping[str, Any]) -> Any:
        """The HTTP client for remote hosts, with the user's proxies and certificates. Raises RequestFault."""
        import httpx2

        try:
            return sdk.DefaultHttpxClient(**shared)
        except OSError as error:
            raise faults.unprepared(self.endpoint, "certificates", str(error)) from None
        except ImportError:
            raise faults.unprepared(self.endpoint, "proxy", "SOCKS needs the package socksio beside ctxe") from None
        except (httpx2.InvalidURL, ValueError) as error:
            raise faults.unprepared(self.endpoint, "proxy", str(error)) from None

    def _fault(self, error: Exception) -> Exception:
        """The RequestFault for an error of SDK, transport or reader; other errors, which are bugs, unchanged."""
        import httpx2

        sdk = self._sdk()
        cause = error.__cause__ if isinstance(error, sdk.APIConnectionError) and error.__cause__ else error
        if isinstance(cause, _Refused):
            return faults.of_status(self.endpoint, cause.status, _body(cause.body), cause.headers, self.patience.now())
        if isinstance(cause, httpx2.TimeoutException) and not isinstance(cause, httpx2.ConnectTimeout):
            return faults.silent(self.endpoint, self.patience.idle)
        if isinstance(
            cause, httpx2.ConnectError | httpx2.ConnectTimeout | httpx2.ProxyError | httpx2.UnsupportedProtocol
        ):
            return faults.unreachable(self.endpoint, str(cause))
        if isinstance(cause, httpx2.DecodingError):
            return faults.broken(self.endpoint, "compressed bytes that cannot be read")
        if isinstance(error, sdk.APIConnectionError):  # only sending raises it, bytes are read without the SDK
            return faults.hung_up(self.endpoint)
        if isinstance(cause, httpx2.TransportError):
            return faults.broken(self.endpoint, "the connection was cut")
        if isinstance(error, sse.Garbled):
            return faults.broken(self.endpoint, str(error), page=error.page)
        if isinstance(error, ValueError) and not isinstance(error, RequestFault):
            return faults.broken(self.endpoint, "not JSON")
        return error


def _query(address: SplitResult) -> dict[str, object] | None:
    """The query fields of an address, which are sent with every request."""
    return dict(parse_qsl(address.query)) or None


def _raise_refusal(response: Any, seconds: float) -> None:
    """Raise ``_Refused`` for an error response, with as much of its body as came within ``seconds``."""
    import httpx2

    if response.is_success:
        return
    body, deadline = b"", time.monotonic() + seconds
    with contextlib.suppress(httpx2.HTTPError), contextlib.closing(response.iter_bytes()) as pieces:
        for piece in pieces:
            body += piece
            if len(body) >= MOST_REFUSED or time.monotonic() > deadline:
                break
    raise _Refused(response.status_code, response.headers, body[:MOST_REFUSED])


def _body(content: bytes) -> Any:
    text = content.decode("utf-8", "replace")
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text[:2000]
