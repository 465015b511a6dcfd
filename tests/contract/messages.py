"""Builds short requests, messages and pieces of streams, for tests of the providers."""

from dataclasses import replace
from typing import Any

from ctxe.domain.model import Message, Request, Text
from tests.wire import server as wire
from tests.wire.adapters import HELLO

GOOD = wire.Reply("All is well.", usage=wire.Usage(5, 3))


def asked(*messages: Message, **changes: Any) -> Request:
    return replace(HELLO, system=(), messages=messages, **changes)


def user(*blocks: Any) -> Message:
    return Message("user", tuple(Text(block) if isinstance(block, str) else block for block in blocks))


def model(*blocks: Any) -> Message:
    return Message("assistant", tuple(Text(block) if isinstance(block, str) else block for block in blocks))


def said(*words: str) -> dict[str, Any]:
    return {"role": "user", "content": [{"type": "input_text", "text": word} for word in words]}


def delta(finish: str | None = None, **fields: Any) -> dict[str, Any]:
    """A chunk of a chat stream."""
    return {"choices": [{"index": 0, "delta": fields, "finish_reason": finish}]}
