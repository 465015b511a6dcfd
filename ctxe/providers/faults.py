"""What went wrong with one attempt, in plain words, and whether asking again can help: every dialect in one place."""

from __future__ import annotations

import contextlib
import json
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
from ctxe.domain.pattern import pattern
from ctxe.domain.value import dataclass, field
from ctxe.providers.retry_after import asked_wait
from ctxe.safety.display import one_line

ONCE, TWICE, FEW, MANY = 1, 2, 3, 8
"""Requests in all: final; paid for and unlikely to change; paid for; free of charge."""

OVERFLOW = pattern(
    r"prompt (?:is )?too long|input is too long|context.?length.?exceed|exceed_context_size|exceed context limit"
    r"|exceeds? (?:the |its |your )?(?:model'?s? )?(?:maximum |available )?context"
    r"|maximum (?:context|prompt|model) length|available context size|context window exceeds"
    r"|too large for model with \d+|input token count .{0,40}exceeds|exceeded model token limit|range of input length"
    r"|when context the overflows|number of tokens to keep from the initial prompt"
    r"|tokens\W+max_new_tokens\W+must be|request_too_large"
    r"|tokens must be reduced|reduce the length of the (?:messages|prompt|input)",
    re.IGNORECASE,
)
"""How OpenAI, Anthropic, Gemini, Mistral, xAI, DeepSeek, Qwen, Moonshot, MiniMax, OpenRouter, Groq, Bedrock, vLLM, TGI,
llama.cpp, Ollama and LM Studio say that a request does not fit."""

WINDOW = pattern(
    r"(?:maximum (?:context|prompt|model) length(?: is| of)?|context (?:size|length|window) (?:is |of )?(?:only )?"
    r"|is loaded with (?:context length of )?(?:only )?|token limit:?|maximum number of tokens allowed)"
    r"\W{0,3}(\d[\d,]{3,9})"
    r"|(\d[\d,]{3,9}) (?:tokens )?maximum",
    re.IGNORECASE,
)
"""Where they say how many tokens would."""
LEAST_WINDOW = 1_024

BROKE = pattern(
    r"insufficient.(?:quota|balance|credits|funds)|credit balance is too low|payment required|available credits"
    r"|billing.{0,6}limit|have any credits",
    re.IGNORECASE,
)
"""How an account without money is told where the status does not say it (Anthropic, xAI and gateways)."""
KEYLESS = pattern(r"api key not valid|incorrect api key|invalid api key|api key expired", re.IGNORECASE)
"""How Gemini and xAI refuse a key with a 400."""
TOOLLESS = pattern(r"not support (?:tools|tool use|function)|support tool use", re.IGNORECASE)
"""How Ollama, OpenRouter and others say that a model knows no tools."""
PARSERLESS = pattern(r"requires --jinja|requires --enable-auto-tool-choice", re.IGNORECASE)
"""How llama.cpp and vLLM say that they were started without what reads a model's tool calls."""
PARSER = "start it so that it reads tool calls: llama.cpp with --jinja, vLLM with --enable-auto-tool-choice"
TIGHT = pattern(r"more system memory|out of memory|resource limitations|failed to load", re.IGNORECASE)
"""How servers say that a model is too large for the machine they run on, which a minute does not change."""
BUSY = pattern(r"overloaded|unavailable|capacity|busy|high demand", re.IGNORECASE)
"""How hosts with too much to do say so."""
STATUS_OF = {
    "authentication_error": 401,
    "invalid_api_key": 401,
    "billing_error": 402,
    "insufficient_quota": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "model_not_found": 404,
    "request_too_large": 413,
    "invalid_request_error": 400,
    "invalid_prompt": 400,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
    "overloaded_error": 529,
    "timeout_error": 504,
}
"""HTTP statuses of the error types that arrive inside a stream."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a request goes, for messages: the provider's name, its address without secrets, the key's variable."""

    provider: str
    model: str
    address: str
    variable: str = ""
    key: str = field(default="", repr=False)
    local: bool = False

    @property
    def shown(self) -> str:
        """The address without a user's name and password, and without what is asked there: some put a key into it."""
        return re.sub(r"//[^/@]*@", "//", self.address).partition("?")[0].partition("#")[0]

    def clean(self, text: str) -> str:
        """A provider's words on one line of at most 200 characters, with the key masked."""
        return one_line(text.replace(self.key, "***") if self.key else text)


class RequestFault(Exception):
    """One attempt failed. ``error`` is raised once ``tries`` requests in all were made, or ``reply`` given instead.

    ``wait`` is what the provider asked for, in seconds; ``why`` is shown while waiting.
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
    """The fault behind an HTTP answer that is no success; ``now`` is wall time in seconds, for dates in headers."""
    said, code = _words(body), _code(body)
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
    """What a host with trouble of its own answered, in its words where it has any."""
    if status in (503, 529) and (not said or BUSY.search(said)):
        return f"{at.provider} is overloaded"
    return f"{at.provider} answered {status}" + (f" ({at.clean(said)})" if said else "")


def window_in(said: str) -> int:
    """The tokens of a window, out of the words by which a request was found too long; 0 where they do not say."""
    found = WINDOW.search(said)
    tokens = int((found[1] or found[2]).replace(",", "")) if found else 0
    return tokens if tokens >= LEAST_WINDOW else 0


def of_event(at: Endpoint, error: Any, now: float) -> RequestFault:
    """The fault behind an error that came inside a stream."""
    kinds = [str(error.get(key)) for key in ("code", "type") if error.get(key)] if isinstance(error, Mapping) else []
    status = next((STATUS_OF[kind] for kind in kinds if kind in STATUS_OF), None)
    if status is None:
        status = next((int(kind) for kind in kinds if kind.isdigit() and 400 <= int(kind) < 600), 500)
    return of_status(at, status, {"error": error}, {}, now)


def unreachable(at: Endpoint, cause: str) -> RequestFault:
    """No connection, by the transport's own words."""
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
    """The user's environment names a proxy or certificates that no connection can be made with."""
    names = "HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY" if what == "proxy" else "SSL_CERT_FILE and SSL_CERT_DIR"
    said = f"the {what} of your environment cannot be used ({at.clean(cause)})"
    return RequestFault(Unreachable(said, f"check {names}"), f"no {what}")


def hung_up(at: Endpoint) -> RequestFault:
    """The connection was closed before any answer."""
    error = Unreachable(f"{at.provider} closed the connection without an answer", "try again in a while")
    return RequestFault(error, "no answer", tries=MANY)


def silent(at: Endpoint, seconds: float) -> RequestFault:
    """Nothing came for too long."""
    hint = "a server that is slow to begin may need longer: model.idle_seconds in your settings"
    error = Unreachable(f"{at.provider} sent nothing for {seconds:g} s", hint)
    return RequestFault(error, f"silence for {seconds:g} s", tries=FEW)


def broken(at: Endpoint, why: str, *, page: bool = False) -> RequestFault:
    """An answer that cannot be used: cut, garbled or not an answer at all."""
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
    told = f"{at.provider} limits how often it is asked"
    error = RateLimited(f"{told}: {at.clean(said)}" if said else told, "wait, or choose another model", wait)
    final = headers.get("x-should-retry") == "false" and wait is None
    return RequestFault(error, "rate limit", tries=ONCE if final else MANY, wait=wait)


def _moved(at: Endpoint, location: str) -> RequestFault:
    origin = re.match(r"\w+://[^/?#@]*", location)
    where = f" to {at.clean(origin.group())}" if origin else ""
    hint = "does the network want you to sign in, or has the base URL changed? nothing was sent there"
    return RequestFault(BadReply(f"{at.shown} redirects{where}", hint), "redirected", tries=FEW)


def _words(body: Any) -> str:
    """The message in an error body, wherever the dialect keeps it."""
    if isinstance(body, list):  # Gemini wraps the object in a list
        return _words(body[0]) if body else ""
    if not isinstance(body, Mapping):
        text = "" if body is None else str(body).strip()
        if text.startswith("{"):  # Ollama puts the whole answer of what runs the model into its own
            with contextlib.suppress(ValueError, RecursionError):
                return _words(json.loads(text)) or text
        return "" if text.startswith("<") else text
    for key in ("error", "message", "detail", "error_message", "msg"):
        if body.get(key):
            return _words(body[key])
    return ""


def _code(body: Any) -> str:
    if isinstance(body, list) and body:
        return _code(body[0])
    if not isinstance(body, Mapping):
        return ""
    inner = body.get("error")
    if isinstance(inner, Mapping):
        return _code(inner)
    return " ".join(str(body[key]) for key in ("code", "type", "status") if body.get(key))
