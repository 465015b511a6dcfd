"""A provider that plays a script, for tests, demos, and for trying ctxe without a model."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from ctxe.domain.conversation import Reply, StopReason, ToolCall, ToolResult, Usage
from ctxe.domain.errors import (
    AuthError,
    BadReply,
    BadRequest,
    ConfigError,
    ContextOverflow,
    ProviderError,
    QuotaError,
    RateLimited,
    Unreachable,
)
from ctxe.domain.model import (
    Block,
    CallDelta,
    Carry,
    Delta,
    Image,
    Model,
    ReasoningDelta,
    Request,
    Text,
    TextDelta,
    Waiting,
)
from ctxe.domain.value import dataclass, replace

ErrorName = Literal["auth", "quota", "rate limit", "overflow", "bad request", "bad reply", "unreachable"]
ERRORS: Mapping[str, type[ProviderError]] = {
    "auth": AuthError,
    "quota": QuotaError,
    "rate limit": RateLimited,
    "overflow": ContextOverflow,
    "bad request": BadRequest,
    "bad reply": BadReply,
    "unreachable": Unreachable,
}
FRAMING, PIECE = 4, 24
"""Tokens counted per message; characters per delta."""


@dataclass(frozen=True, slots=True)
class Play:
    """One scripted reply. ``calls`` are (name, arguments) or (name, arguments, id); arguments are a value or JSON text.

    An empty ``stop`` is derived from the calls. ``waits``, pairs (seconds, why), are shown before the reply; ``delay``
    seconds really pass between deltas; ``cut`` ends it in the middle with BadReply; ``error`` is raised instead.
    """

    text: str = ""
    calls: Sequence[tuple[str, Any] | tuple[str, Any, str]] = ()
    stop: StopReason | Literal[""] = ""
    reasoning: str = ""
    usage: Usage | None = None
    waits: Sequence[tuple[float, str]] = ()
    delay: float = 0.0
    cut: bool = False
    error: ErrorName | Literal[""] = ""
    message: str = ""


Line = Play | str | Callable[[Request], "Play | str"]
"""A reply, its text alone, or a function that makes either from the request."""


class Scripted:
    """Plays ``script`` line by line, and keeps every request in ``requests``.

    Unless a line states its usage, it is counted by ``count``; the prefix shared with the request before counts as read
    from the cache.
    """

    def __init__(
        self,
        script: Sequence[Line],
        model: Model,
        *,
        count: Callable[[str], int] = lambda text: len(text) // 4,
        sleep: Callable[[float], None] = time.sleep,
        name: str = "the script",
    ) -> None:
        self.model, self.requests = model, list[Request]()
        self._script, self._count, self._sleep, self._name = list(script), count, sleep, name

    @property
    def left(self) -> int:
        """Lines that were not played yet."""
        return max(0, len(self._script) - len(self.requests))

    def stream(self, request: Request) -> Iterator[Delta | Reply]:
        """Deltas, then the reply (see Provider). Raises BadReply once the script is over."""
        before = self.requests[-1] if self.requests else None
        number = len(self.requests)
        self.requests.append(request)
        if number >= len(self._script):
            lines = "1 reply" if len(self._script) == 1 else f"{len(self._script)} replies"
            raise BadReply(f"{self._name} holds {lines}; this is request {number + 1}", "add a reply to the script")
        line = self._script[number]
        play = line if isinstance(line, str | Play) else line(request)
        yield from self._play(play if isinstance(play, Play) else Play(play), number, request, before)

    def _play(self, play: Play, number: int, request: Request, before: Request | None) -> Iterator[Delta | Reply]:
        for seconds, why in play.waits:
            yield Waiting(seconds, why)
        if play.error:
            raise ERRORS[play.error](play.message or f"scripted: {play.error}", "this is what the script says")
        calls = tuple(_call(call, number, index) for index, call in enumerate(play.calls))
        deltas = list(_deltas(play, calls))
        for delta in deltas[: len(deltas) // 2] if play.cut else deltas:
            if play.delay:
                self._sleep(play.delay)
            yield delta
        if play.cut:
            raise BadReply(f"{self._name} cuts the answer here", "this is what the script says")
        stop = play.stop or ("tools" if calls else "end")
        kept_calls = calls if stop in ("end", "tools") else ()
        usage = play.usage or self._usage(request, before, play)
        dropped = () if kept_calls else tuple(call.name for call in calls)
        yield Reply(play.text, kept_calls, stop, usage, self.model.id, dropped=dropped)

    def _usage(self, request: Request, before: Request | None, play: Play) -> Usage:
        parts = list(_parts(request))
        sizes = [self._count(part) + FRAMING for part in parts]
        shared = 0
        for part, old_part in zip(parts, _parts(before) if before else (), strict=False):
            if part != old_part:
                break
            shared += 1
        written = play.text + "".join(_text(call[1]) for call in play.calls)
        return Usage(sum(sizes), self._count(written), cache_read=sum(sizes[:shared]))


def load(path: Path) -> list[Play]:
    """Read a script from a file: a JSON list, or one JSON object per line, with the fields of Play.

    Calls are objects with name, arguments and, optionally, id. Raises ConfigError, which names the file and the place.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise ConfigError(
            f"the script {path} cannot be read: {reason}", "--model scripted/FILE takes a JSON file"
        ) from None
    values = _values(path, text)
    return [_line(f"{path}, reply {number}", value) for number, value in enumerate(values, 1)]


def _values(path: Path, text: str) -> list[Any]:
    """The values of a JSON list, or one value per line, without blank lines and ``//`` comments."""
    try:
        if text.lstrip().startswith("["):
            return list(json.loads(text))
        numbered = ((line_number, line) for line_number, line in enumerate(text.splitlines(), 1) if line.strip())
        values = []
        for line_number, line in numbered:
            if not line.lstrip().startswith("//"):
                values.append(_json(line, line_number))
        return values
    except json.JSONDecodeError as error:
        raise ConfigError(f"{path}, line {error.lineno}: {error.msg}", "a script is JSON or JSON lines") from None


def _json(line: str, line_number: int) -> Any:
    try:
        return json.loads(line)
    except json.JSONDecodeError as error:
        error.lineno = line_number
        raise


def _line(place: str, value: Any) -> Play:
    if isinstance(value, str):
        return Play(value)
    if not isinstance(value, dict):
        raise ConfigError(f"{place} is neither words nor an object", 'for instance {"text": "Done."}')
    fields = Play.__dataclass_fields__
    for key in value:
        if key not in fields:
            raise ConfigError(f"{place} has no field {key!r}", f"a reply has {', '.join(fields)}")
    if value.get("error", "") not in ("", *ERRORS):
        raise ConfigError(f"{place}: no error is called {value['error']!r}", f"there are {', '.join(ERRORS)}")
    try:
        return _built(value)
    except (TypeError, KeyError, ValueError, AttributeError) as error:
        raise ConfigError(
            f"{place} cannot be used: {error}", "see the fields of a reply in the documentation"
        ) from None


def _built(value: Mapping[str, Any]) -> Play:
    fields = dict(value)
    calls = [(call["name"], call.get("arguments", {}), call.get("id", "")) for call in value.get("calls", ())]
    fields["calls"] = tuple(call if call[2] else call[:2] for call in calls)
    fields["waits"] = tuple((float(wait["seconds"]), str(wait["why"])) for wait in value.get("waits", ()))
    fields["usage"] = Usage(**value["usage"]) if value.get("usage") else None
    return replace(Play(), **fields)


def _call(call: tuple[Any, ...], number: int, index: int) -> ToolCall:
    name, arguments, *rest = call
    return ToolCall(rest[0] if rest else f"scripted_{number + 1}_{index + 1}", name, _text(arguments))


def _text(arguments: Any) -> str:
    return arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)


def _deltas(play: Play, calls: Sequence[ToolCall]) -> Iterator[Delta]:
    yield from (ReasoningDelta(play.reasoning[start : start + PIECE]) for start in range(0, len(play.reasoning), PIECE))
    yield from (TextDelta(play.text[start : start + PIECE]) for start in range(0, len(play.text), PIECE))
    yield from (CallDelta(call.name, len(call.arguments)) for call in calls)


def _parts(request: Request) -> Iterator[str]:
    """The parts of a request in the order they are sent, each as text."""
    for tool in request.tools:
        yield json.dumps([tool.name, tool.description, dict(tool.parameters)], ensure_ascii=False)
    yield from request.system
    for message in request.messages:
        yield from (_block_text(block) for block in message.blocks)


def _block_text(block: Block) -> str:
    match block:
        case Image(picture):
            return picture.description
        case Text(text) | Carry(text) | ToolResult(_, text):
            return text
        case ToolCall(_, name, arguments):
            return f"{name} {arguments}"
