"""Connects the three real adapters to a wire server, with a simulated clock."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ctxe.domain.conversation import Reply
from ctxe.domain.model import Delta, Message, Model, Request, Text, Waiting
from ctxe.providers.anthropic import Anthropic
from ctxe.providers.faults import Endpoint
from ctxe.providers.openai_chat import ChatCompletions, Habits
from ctxe.providers.openai_responses import Responses
from ctxe.providers.retry import RetryLimits
from ctxe.providers.transport import Transport

APIS = ("messages", "chat", "responses")
KEY = "sk-test-0123456789abcdef"
MODEL = Model("wire", "wire-model", 100_000, 8_000, reasoning=True)
HELLO = Request((), ("Be brief.",), (Message("user", (Text("hello"),)),), 1_000, "session-1")


@dataclass
class Clock:
    """A simulated clock that advances only in ``sleep``."""

    at: float = 1000.0
    slept: list[float] = field(default_factory=list)

    def now(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += seconds


def patience(clock: Clock | None = None, **changes: Any) -> RetryLimits:
    """Retry settings on a simulated clock, with the jitter fixed at its middle."""
    clock = clock or Clock()
    wanted: dict[str, Any] = {"clock": clock.now, "sleep": clock.sleep, "jitter": lambda: 0.5, "idle": 5.0}
    return RetryLimits(**wanted | changes)


def speak(
    api: str, url: str, bearing: RetryLimits | None = None, *, model: Model = MODEL, local: bool = True, **options: Any
) -> Any:
    """The adapter of an API, reaching ``url``."""
    at = Endpoint("wire", model.name, url, "WIRE_API_KEY", KEY, local)
    bearing = bearing or patience()
    if api == "messages":
        return Anthropic(model, Transport("anthropic", at, bearing), **options)
    transport = Transport("openai", at, bearing)
    return (
        ChatCompletions(model, transport, Habits(**options))
        if api == "chat"
        else Responses(model, transport, **options)
    )


def hear(provider: Any, request: Request = HELLO) -> tuple[list[Delta], Reply]:
    """All deltas of a stream, and the one reply that ends it."""
    items = list(provider.stream(request))
    assert [isinstance(item, Reply) for item in items] == [False] * (len(items) - 1) + [True]
    return items[:-1], items[-1]


def waits(deltas: list[Delta]) -> list[str]:
    """The reason of each wait."""
    return [delta.why for delta in deltas if isinstance(delta, Waiting)]
