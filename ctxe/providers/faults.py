"""Classifying the failure of a request, with a plain message and whether a retry can help."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

from ctxe.domain.conversation import Reply
from ctxe.domain.errors import (
    AuthError,
    BadReply,
    BadRequest,
    ContextOverflow,
    ProviderError,
    QuotaError,
    RateLimited,
    Unreachable,
)
from ctxe.domain.value import dataclass, field
from ctxe.providers.dialects import (
    BUSY,
    KEY_REFUSED,
    NO_CREDIT,
    NO_MEMORY,
    NO_PARSER,
    NO_TOOLS,
    PARSER_HINT,
    TOO_LONG,
    code_of,
    status_in,
    window_in,
    words_of,
)
from ctxe.providers.retry_after import asked_wait
from ctxe.safety.display import one_line

ONCE, TWICE, FEW, MANY = 1, 2, 3, 8
"""Attempts in all: ONCE when final, TWICE when paid for and unlikely to change, FEW when paid for, MANY when free."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The target of a request: provider, model, base URL (``address``), key and the environment variable it is from."""

    provider: str
    model: str
    address: str
    variable: str = ""
    key: str = field(default="", repr=False)
    local: bool = False

    @property
    def shown(self) -> str:
        """The base URL for messages, without user name, password and query, which may hold a key."""
        return re.sub(r"//[^/@]*@", "//", self.address).partition("?")[0].partition("#")[0]

    def clean(self, text: str) -> str:
        """A provider's message on one line of at most 200 characters, with the key masked."""
        return one_line(text.replace(self.key, "***") if self.key else text)


class RequestFault(Exception):
    """One attempt failed. After ``tries`` attempts in all ``error`` is raised, or ``reply`` given instead if it is set.

    ``wait`` is the time in seconds that the provider asked for; ``why`` is shown while waiting.
    """

    def __init__(
        self,
        error: ProviderError,
        why: str,
        *,
        tries: int = ONCE,
        wait: float | None = None,
        reply: Reply | None = None,
    ) -> None:
        super().__init__(why)
        self.error, self.why, self.tries, self.wait, self.reply = error, why, tries, wait, reply


def of_status(endpoint: Endpoint, status: int, body: Any, headers: Mapping[str, str], now: float) -> RequestFault:
    """The fault for an HTTP error response; ``now`` is wall time in seconds, for dates in headers."""
    message, code = words_of(body), code_of(body)
    if TOO_LONG.search(f"{code} {message}") or status == 413:
        hint = "if the window of this model is smaller than ctxe thinks, state it: --budget TOKENS"
        shown_message = f"{endpoint.provider}: {endpoint.clean(message) or 'the request is too long'}"
        return RequestFault(ContextOverflow(shown_message, hint, window_in(message)), "too long")
    if status == 402 or "insufficient_quota" in code or (status in (400, 403) and NO_CREDIT.search(message)):
        hint = "add credit to the account, or choose another model with --model"
        return RequestFault(QuotaError(f"the account at {endpoint.provider} has no credit left", hint), "no credit")
    if status == 400 and KEY_REFUSED.search(message):
        status = 401
    if status in (401, 403, 404):
        return RequestFault(_refused(endpoint, status, message), "refused")
    if status == 429:
        return _rate_limited(endpoint, message, body, headers, now)
    if 300 <= status < 400:
        return _moved(endpoint, headers.get("location", ""))
    if NO_PARSER.search(message):
        return RequestFault(
            BadRequest(f"{endpoint.provider} refused the request: {endpoint.clean(message)}", PARSER_HINT), "refused"
        )
    if status >= 500 or status in (408, 409, 425):
        tries = ONCE if headers.get("x-should-retry") == "false" and status < 500 else MANY
        tries = FEW if NO_MEMORY.search(message) else tries
        trouble = _trouble(endpoint, status, message)
        error = ProviderError(trouble, "try again in a while, or choose another model with --model")
        return RequestFault(error, trouble, tries=tries, wait=asked_wait(headers, body, now))
    hint = "this model cannot call tools: choose another with --model" if NO_TOOLS.search(message) else ""
    return RequestFault(
        BadRequest(f"{endpoint.provider} refused the request: {endpoint.clean(message) or status}", hint),
        "refused",
    )


def _trouble(endpoint: Endpoint, status: int, message: str) -> str:
    """The message for a failure of the host, in the host's own words if there are any."""
    if status in (503, 529) and (not message or BUSY.search(message)):
        return f"{endpoint.provider} is overloaded"
    return f"{endpoint.provider} answered {status}" + (f" ({endpoint.clean(message)})" if message else "")


def of_event(endpoint: Endpoint, error: Any, now: float) -> RequestFault:
    """The fault for an error inside a stream."""
    return of_status(endpoint, status_in(error), {"error": error}, {}, now)


def unreachable(endpoint: Endpoint, cause: str) -> RequestFault:
    """The fault for a failed connection; ``cause`` is the transport's message."""
    if "CERTIFICATE" in cause.upper():
        hint = "if your company has its own authority, let SSL_CERT_FILE name its certificate"
        return RequestFault(Unreachable(f"the certificate of {endpoint.shown} cannot be trusted", hint), "no trust")
    if endpoint.local:
        hint = f"start the server at {endpoint.shown}, or choose another with --base-url"
        return RequestFault(Unreachable(f"nothing answers at {endpoint.shown}", hint), "no connection", tries=FEW)
    hint = "check the network, the base URL and the proxy settings"
    return RequestFault(
        Unreachable(f"no connection to {endpoint.shown} ({endpoint.clean(cause)})", hint), "no connection", tries=MANY
    )


def unprepared(endpoint: Endpoint, part: Literal["proxy", "certificates"], cause: str) -> RequestFault:
    """The fault for a proxy or certificates in the user's environment that cannot be used."""
    names = "HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY" if part == "proxy" else "SSL_CERT_FILE and SSL_CERT_DIR"
    message = f"the {part} of your environment cannot be used ({endpoint.clean(cause)})"
    return RequestFault(Unreachable(message, f"check {names}"), f"no {part}")


def hung_up(endpoint: Endpoint) -> RequestFault:
    """The fault for a connection closed before any answer."""
    error = Unreachable(f"{endpoint.provider} closed the connection without an answer", "try again in a while")
    return RequestFault(error, "no answer", tries=MANY)


def silent(endpoint: Endpoint, seconds: float) -> RequestFault:
    """The fault for ``seconds`` without any data."""
    hint = "a server that is slow to begin may need longer: model.idle_seconds in your settings"
    error = Unreachable(f"{endpoint.provider} sent nothing for {seconds:g} s", hint)
    return RequestFault(error, f"silence for {seconds:g} s", tries=FEW)


def broken(endpoint: Endpoint, why: str, *, page: bool = False) -> RequestFault:
    """The fault for an answer that cannot be used: cut, garbled, or (``page``) a web page."""
    hint = ""
    if page:
        hint = f"is {endpoint.shown} the right base URL, and does the network want you to sign in?"
    return RequestFault(BadReply(f"the answer of {endpoint.provider} cannot be used: {why}", hint), why, tries=FEW)


def _refused(endpoint: Endpoint, status: int, message: str) -> ProviderError:
    if status == 404:
        shown_message = f"{endpoint.provider} knows no model {endpoint.model!r} at {endpoint.shown}"
        hint = "check the name (--model) and the base URL"
        return BadRequest(
            shown_message, f"fetch it with: ollama pull {endpoint.model}" if endpoint.provider == "ollama" else hint
        )
    if status == 401:
        key = f"{endpoint.variable} " if endpoint.variable else ""
        return AuthError(f"{endpoint.provider} refused the key", f"check {key}or ask for a new key")
    return AuthError(
        f"{endpoint.provider} denied access to {endpoint.model!r}: {endpoint.clean(message) or 'no reason given'}",
        "the key has no rights for this model or from here",
    )


def _rate_limited(endpoint: Endpoint, message: str, body: Any, headers: Mapping[str, str], now: float) -> RequestFault:
    wait = asked_wait(headers, body, now)
    summary = f"{endpoint.provider} limits the rate of requests"
    error = RateLimited(
        f"{summary}: {endpoint.clean(message)}" if message else summary, "wait, or choose another model", wait
    )
    final = headers.get("x-should-retry") == "false" and wait is None
    return RequestFault(error, "rate limit", tries=ONCE if final else MANY, wait=wait)


def _moved(endpoint: Endpoint, location: str) -> RequestFault:
    origin = re.match(r"\w+://[^/?#@]*", location)
    target = f" to {endpoint.clean(origin.group())}" if origin else ""
    hint = "does the network want you to sign in, or has the base URL changed? nothing was sent there"
    return RequestFault(BadReply(f"{endpoint.shown} redirects{target}", hint), "redirected", tries=FEW)
