"""Collecting an answer and making a Reply of it: ids of calls, cut answers, broken JSON, empty answers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ctxe.domain.conversation import Reply, StopReason, ToolCall, Usage
from ctxe.domain.errors import BadReply
from ctxe.domain.model import Delta, Request
from ctxe.domain.pattern import pattern
from ctxe.domain.value import dataclass, field
from ctxe.providers import faults
from ctxe.providers.faults import Endpoint, RequestFault

WEAK_ID = pattern(r"(?:(?:call|tool|toolu)[_:-]?)?\d{0,3}")
"""Empty ids, and ids that some servers reuse in every answer, so that two calls of a conversation would share one."""


@dataclass(slots=True)
class Slot:
    """A tool call that is being streamed."""

    id: str = ""
    name: str = ""
    parts: list[str] = field(default_factory=list)
    size: int = 0

    def write(self, part: str) -> None:
        """Add a piece of the arguments."""
        self.parts.append(part)
        self.size += len(part)

    @property
    def arguments(self) -> str:
        """The arguments so far; ``{}`` for a call without any."""
        text = "".join(self.parts)
        return text if text.strip() else "{}"


@dataclass(slots=True)
class Draft:
    """An answer so far. ``stop`` is None until the final event, without which the answer was cut.

    ``seal`` makes the carry (see Reply.carry) from the finished calls, which are in the order of the slots.
    """

    text: list[str] = field(default_factory=list)
    slots: list[Slot] = field(default_factory=list)
    stop: StopReason | None = None
    usage: Usage | None = None
    seal: Callable[[Sequence[ToolCall]], str] = lambda _: ""

    def finish(
        self, deltas: Iterator[Delta], endpoint: Endpoint, request: Request, model: str
    ) -> Iterator[Delta | Reply]:
        """The deltas of a reader, then the reply. Errors after the final event are ignored.

        Raises RequestFault, also for events of an unknown shape.
        """
        try:
            yield from deltas
        except RequestFault:
            if self.stop is None:
                raise
        except (AttributeError, KeyError, TypeError, ValueError):
            if self.stop is None:
                raise faults.broken(endpoint, "events of an unknown shape") from None
        yield self.reply(endpoint, request, model)

    def reply(self, endpoint: Endpoint, request: Request, model: str) -> Reply:
        """The complete reply. Calls of an answer that was cut short or refused are dropped, as they must never run.

        Raises RequestFault for an unfinished or empty answer and, with this reply as a fallback, for broken arguments.
        """
        if self.stop is None:
            raise faults.broken(endpoint, "it ended in the middle")
        text, stop = "".join(self.text), self.stop
        slots = self.slots if stop in ("end", "tools") else []
        dropped = () if slots else tuple(slot.name for slot in self.slots)
        calls = tuple(_with_unique_ids(slots, request))
        if stop in ("end", "tools"):
            stop = "tools" if calls else "end"
        if not text.strip() and not calls and stop == "end":
            error = BadReply(
                f"{endpoint.provider} gave an empty answer", "ask again in other words, or try another model"
            )
            raise RequestFault(error, "an empty answer", tries=faults.FEW)
        answer_text = text if text.strip() or calls else ""  # hosts refuse a message of blanks when it is sent back
        reply = Reply(answer_text, calls, stop, self.usage, model, self.seal(calls), dropped)
        if not all(is_object(call.arguments) for call in calls):
            error = BadReply(f"{endpoint.provider} wrote a tool call that is not JSON")
            raise RequestFault(error, "a tool call with broken JSON", tries=faults.TWICE, reply=reply)
        return reply


def words(value: Any) -> str:
    """The value if it is a text, else an empty text."""
    return value if isinstance(value, str) else ""


def is_object(arguments: str) -> bool:
    """Whether the arguments of a call are a JSON object."""
    return as_object(arguments) is not None


def as_object(arguments: str) -> dict[str, Any] | None:
    """The arguments of a call as an object; None when they are not one (NaN and Infinity are not JSON)."""
    try:
        value = json.loads(arguments, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def tokens(value: Any) -> int:
    """A count as a provider reports it; 0 for anything but a positive whole number."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def usage_of(total: Any, output: Any, read: Any, write: Any, hour: Any = 0) -> Usage | None:
    """Usage in which the input includes its cached parts; None when nothing sensible was reported.

    ``hour`` is the part of ``write`` that is cached for an hour.
    """
    input_tokens = tokens(total)
    cached = min(tokens(read), input_tokens)
    written = min(tokens(write), input_tokens - cached)
    usage = Usage(input_tokens, tokens(output), cached, written, min(tokens(hour), written))
    return usage if usage.input or usage.output else None


def _with_unique_ids(slots: Sequence[Slot], request: Request) -> Iterator[ToolCall]:
    """Calls with ids that are unique in the whole conversation; the same input gives the same ids."""
    taken = {block.id for message in request.messages for block in message.blocks if isinstance(block, ToolCall)}
    seed = f"{request.session}\0{len(request.messages)}\0{request.messages[-1:]!r}"
    for number, slot in enumerate(slots):
        name = slot.id
        if WEAK_ID.fullmatch(name) or name in taken:
            identity = f"{seed}\0{number}\0{slot.name}\0{slot.arguments}"
            name = "call_" + hashlib.blake2b(identity.encode("utf-8", "replace"), digest_size=12).hexdigest()
        taken.add(name)
        yield ToolCall(name, slot.name, slot.arguments)


def _refuse(constant: str) -> Any:
    raise ValueError(constant)
