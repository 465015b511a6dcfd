"""Defines the script of the wire server: replies, faults and raw answers, as Python values or as JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

FaultName = Literal[
    "cut",  # the connection closes after `after` frames, in the middle of a chunked answer
    "reset",  # the same with a TCP reset
    "half-line",  # the same, in the middle of an SSE line
    "no-end",  # the HTTP answer ends cleanly, without the terminal event
    "error",  # after `after` frames an error event, inside the 200
    "stall",  # after `after` frames nothing for `seconds`, then the rest
    "drip",  # pauses `seconds` between frames
    "invalid-utf8",  # bytes FF FE in the JSON of frame `after`
    "malformed-json",  # frame `after` is not JSON
    "id-frames",  # frames of only id: and retry: lines in between (legal SSE)
    "crlf",  # lines end in CR LF (legal SSE)
    "unknown-events",  # unknown events in between
    "comment",  # a comment line of `size` bytes first (legal SSE)
    "gzip",  # declares gzip and sends noise
]


@dataclass(frozen=True)
class Call:
    """A tool call. ``arguments``: a value (sent as JSON) or text (sent as it is). ``id`` None: left to the server;
    empty: sent without an id, as some servers do."""

    name: str
    arguments: Any = field(default_factory=dict)
    id: str | None = None


@dataclass(frozen=True)
class Usage:
    """Tokens to report; ``input`` includes what was read from and written to the cache, however the API counts.

    ``cost`` is a gateway's price in dollars; only chat completions report it.
    ``cache_write_1h`` is the part of ``cache_write`` that is kept for an hour; only the messages API reports it.
    """

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0
    cache_write_1h: int = 0
    cost: float | None = None


@dataclass(frozen=True)
class Reply:
    """One answer of the model.

    ``stop``: end, tools, length, refusal, filtered, or any other word, which is sent as it is; by default tools when
    there are calls, else end. ``usage``: numbers, None for a server that reports none, "auto" for about a token per
    four bytes of the request with nothing cached. ``piece``: characters per delta. ``indexed`` False leaves the index
    out of chat tool calls. ``fault`` spoils the stream (see FaultName).
    """

    text: str = ""
    calls: Sequence[Call] = ()
    stop: str = ""
    usage: Usage | Literal["auto"] | None = "auto"
    reasoning: str = ""
    piece: int = 12
    indexed: bool = True
    fault: FaultName | None = None
    after: int = 3
    seconds: float = 0.0
    size: int = 2_000_000
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def stopped(self) -> str:
        """Why the model stopped."""
        return self.stop or ("tools" if self.calls else "end")


@dataclass(frozen=True)
class Answer:
    """A raw HTTP answer: JSON for a mapping, else text. ``seconds`` is the wait before it.

    An ``endless`` one goes on with blanks until the client hangs up.
    """

    status: int
    body: Mapping[str, Any] | str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    endless: Literal["flood", "drip"] | None = None


@dataclass(frozen=True)
class Drop:
    """The connection closes (or is reset) before any answer."""

    reset: bool = False


Part = Reply | Answer | Drop
Entry = Part | Callable[[Mapping[str, Any]], Part]
"""The answer to one request: a part, or a function from the request's body to a part."""


def overloaded(status: int = 529, **headers: str) -> Answer:
    """A server error as Anthropic words it; underscores in header names become hyphens."""
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    return Answer(status, error, _headers(headers))


def rate_limited(**headers: str) -> Answer:
    """A 429, for instance ``rate_limited(retry_after="2")``."""
    return Answer(429, failure("Rate limit reached for requests", "rate_limit_exceeded"), _headers(headers))


def failure(message: str, code: str | None = None, kind: str = "invalid_request_error") -> dict[str, Any]:
    """An error body that the clients of all three APIs understand."""
    return {"type": "error", "error": {"type": kind, "message": message, "code": code, "param": None}}


def html(status: int = 200) -> Answer:
    """An HTML page in place of the API, as a captive portal or a gateway sends it."""
    page = "<!DOCTYPE html><html><head><title>Sign in</title></head><body>Welcome to the hotel</body></html>"
    return Answer(status, page, {"content-type": "text/html; charset=utf-8"})


def redirect(to: str, status: int = 307) -> Answer:
    """A redirect to another address."""
    return Answer(status, "", {"location": to})


def from_json(value: Mapping[str, Any]) -> Part:
    """A part from its JSON: the fields of Reply, or of Answer where ``status`` stands, or ``{"drop": true}``."""
    if "drop" in value:
        return Drop(reset=bool(value.get("reset")))
    if "status" in value:
        return Answer(**value)
    fields = dict(value)
    fields["calls"] = tuple(Call(**call) for call in value.get("calls", ()))
    if isinstance(value.get("usage"), Mapping):
        fields["usage"] = Usage(**value["usage"])
    return Reply(**fields)


def _headers(names: Mapping[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in names.items()}
