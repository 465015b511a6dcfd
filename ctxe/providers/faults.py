"""Classifying what went wrong with a request, with a plain message and whether a retry can help."""

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
    BROKE,
    BUSY,
    KEYLESS,
    OVERFLOW,
    PARSER,
    PARSERLESS,
    TIGHT,
    TOOLLESS,
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
    """Where a request goes: provider, model, base URL (``address``), key and the environment variable it is from."""

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


def of_status(at: Endpoint, status: int, body: Any, headers: Mapping[str, str], now: float) -> RequestFault:
    """The fault for an HTTP error response; ``now`` is wall time in seconds, for dates in headers."""
    said, code = words_of(body), code_of(body)
    if OVERFLOW.search(f"{code} {said}") or status == 413:
        hint = "if the window of this model is smaller than ctxe thinks, state it: --budget TOKENS"
        message = f"{at.provider}: {at.clean(said) or 'the request is too long'}"
        return RequestFault(ContextOverflow(message, hint, window_in(said)), "too long")
    if status == 402 or "insufficient_quota" in code or (status in (400, 403) and BROKE.search(said)):
        hint = "add credit to the account, or choose another model with --model"
        return RequestFault(QuotaError(f"the account at {at.provider} has no credit left", hint), "no credit")
    if status == 400 and KEYLESS.search(said):
        status = 401
    if status in (401, 403, 404):
        return RequestFault(_refused(at, status, said), "refused")
    if status == 429:
        return _rate_limited(at, said, body, headers, now)
    if 300 <= status < 400:
        return _moved(at, headers.get("location", ""))
    if PARSERLESS.search(said):
        return RequestFault(BadRequest(f"{at.provider} refused the request: {at.clean(said)}", PARSER), "refused")
    if status >= 500 or status in (408, 409, 425):
        again = ONCE if headers.get("x-should-retry") == "false" and status < 500 else MANY
        again = FEW if TIGHT.search(said) else again
        named = _trouble(at, status, said)
        error = ProviderError(named, "try again in a while, or choose another model with --model")
        return RequestFault(error, named, tries=again, wait=asked_wait(headers, body, now))
    hint = "this model cannot call tools: choose another with --model" if TOOLLESS.search(said) else ""
    return RequestFault(BadRequest(f"{at.provider} refused the request: {at.clean(said) or status}", hint), "refused")


def _trouble(at: Endpoint, status: int, said: str) -> str:
    """The message for a failure of the host, in its own words if it gave any."""
    if status in (503, 529) and (not said or BUSY.search(said)):
        return f"{at.provider} is overloaded"
    return f"{at.provider} answered {status}" + (f" ({at.clean(said)})" if said else "")


def of_event(at: Endpoint, error: Any, now: float) -> RequestFault:
    """The fault for an error inside a stream."""
    return of_status(at, status_in(error), {"error": error}, {}, now)


def unreachable(at: Endpoint, cause: str) -> RequestFault:
    """The fault for a failed connection; ``cause`` is the transport's message."""
    if "CERTIFICATE" in cause.upper():
        hint = "if your company has its own authority, let SSL_CERT_FILE name its certificate"
        return RequestFault(Unreachable(f"the certificate of {at.shown} cannot be trusted", hint), "no trust")
    if at.local:
        hint = f"start the server at {at.shown}, or choose another with --base-url"
        return RequestFault(Unreachable(f"nothing answers at {at.shown}", hint), "no connection", tries=FEW)
    hint = "check the network, the base URL and the proxy settings"
    return RequestFault(
        Unreachable(f"no connection to {at.shown} ({at.clean(cause)})", hint), "no connection", tries=MANY
    )


def unprepared(at: Endpoint, what: Literal["proxy", "certificates"], cause: str) -> RequestFault:
    """The fault for a proxy or certificates in the user's environment that cannot be used."""
    names = "HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY" if what == "proxy" else "SSL_CERT_FILE and SSL_CERT_DIR"
    said = f"the {what} of your environment cannot be used ({at.clean(cause)})"
    return RequestFault(Unreachable(said, f"check {names}"), f"no {what}")


def hung_up(at: Endpoint) -> RequestFault:
    """The fault for a connection closed before any answer."""
    error = Unreachable(f"{at.provider} closed the connection without an answer", "try again in a while")
    return RequestFault(error, "no answer", tries=MANY)


def silent(at: Endpoint, seconds: float) -> RequestFault:
    """The fault for ``seconds`` without any data."""
    hint = "a server that is slow to begin may need longer: model.idle_seconds in your settings"
    error = Unreachable(f"{at.provider} sent nothing for {seconds:g} s", hint)
    return RequestFault(error, f"silence for {seconds:g} s", tries=FEW)


def broken(at: Endpoint, why: str, *, page: bool = False) -> RequestFault:
    """The fault for an answer that cannot be used: cut, garbled, or (``page``) a web page."""
    hint = ""
    if page:
        hint = f"is {at.shown} the right base URL, and does the network want you to sign in?"
    return RequestFault(BadReply(f"the answer of {at.provider} cannot be used: {why}", hint), why, tries=FEW)


def _refused(at: Endpoint, status: int, said: str) -> ProviderError:
    if status == 404:
        message = f"{at.provider} knows no model {at.model!r} at {at.shown}"
        hint = "check the name (--model) and the base URL"
        return BadRequest(message, f"fetch it with: ollama pull {at.model}" if at.provider == "ollama" else hint)
    if status == 401:
        key = f"{at.variable} " if at.variable else ""
        return AuthError(f"{at.provider} refused the key", f"check {key}or ask for a new key")
    return AuthError(
        f"{at.provider} denied access to {at.model!r}: {at.clean(said) or 'no reason given'}",
        "the key has no rights for this model or from here",
    )


def _rate_limited(at: Endpoint, said: str, body: Any, headers: Mapping[str, str], now: float) -> RequestFault:
    wait = asked_wait(headers, body, now)
    told = f"{at.provider} limits the rate of requests"
    error = RateLimited(f"{told}: {at.clean(said)}" if said else told, "wait, or choose another model", wait)
    final = headers.get("x-should-retry") == "false" and wait is None
    return RequestFault(error, "rate limit", tries=ONCE if final else MANY, wait=wait)


def _moved(at: Endpoint, location: str) -> RequestFault:
    origin = re.match(r"\w+://[^/?#@]*", location)
    where = f" to {at.clean(origin.group())}" if origin else ""
    hint = "does the network want you to sign in, or has the base URL changed? nothing was sent there"
    return RequestFault(BadReply(f"{at.shown} redirects{where}", hint), "redirected", tries=FEW)
