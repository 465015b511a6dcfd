"""Token costs of the parts of a request: the content as a given callable counts it, plus framing."""

from __future__ import annotations

import json
from collections.abc import Callable

from ctxe.domain.conversation import ToolCall, ToolResult
from ctxe.domain.model import Block, Carry, Image, Text, ToolSchema
from ctxe.domain.picture import Picture
from ctxe.domain.value import dataclass

Count = Callable[[str], int]

MESSAGE = 4
"""Framing tokens per message, and per tool result, which most APIs send as a message of its own."""
CALL = 6
"""Framing tokens per tool call."""
JOIN = 1
"""Tokens of the blank line between two chunks of one text."""
TOOL = 8
"""Framing tokens per tool schema (an upper bound over the APIs' own renderings)."""


@dataclass(frozen=True, slots=True)
class TokenCounter:
    """A counter that also prices pictures: ``picture`` maps width and height in pixels to tokens."""

    text: Count
    picture: Callable[[int, int], int]

    def __call__(self, text: str) -> int:
        """Tokens of a text."""
        return self.text(text)


def picture_tokens(picture: Picture | None, count: Count) -> int:
    """Tokens of a picture, 0 for none; one token per 28 by 28 pixels when ``count`` knows only text."""
    if picture is None:
        return 0
    if isinstance(count, TokenCounter):
        return count.picture(picture.width, picture.height)
    return -(-picture.width // 28) * -(-picture.height // 28)


def block_tokens(block: Block, count: Count) -> int:
    """Tokens of one block, framing included."""
    match block:
        case Text(text):
            return count(text)
        case ToolCall(_, name, arguments):
            return CALL + count(name) + count(arguments)
        case ToolResult():
            return MESSAGE + count(block.text) + picture_tokens(block.picture, count)
        case Image(picture):
            return picture_tokens(picture, count)
        case Carry(carried):
            return count(carried)


def schema_tokens(schema: ToolSchema, count: Count) -> int:
    """Tokens of a tool's schema as JSON, framing included."""
    body = {"name": schema.name, "description": schema.description, "parameters": schema.parameters}
    return TOOL + count(json.dumps(body, ensure_ascii=False, separators=(",", ":")))
