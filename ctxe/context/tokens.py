"""What the parts of a request cost in tokens: content counted by a callable that is handed in, plus framing."""

from __future__ import annotations

import json
from collections.abc import Callable

from ctxe.domain.conversation import ToolCall, ToolResult
from ctxe.domain.model import Block, Carry, Text, ToolSchema

Count = Callable[[str], int]

MESSAGE = 4
"""Tokens of framing per message, and per tool result, which most APIs send as a message of its own."""
CALL = 6
"""Tokens of framing per tool call."""
JOIN = 1
"""Tokens of the blank line between two chunks of one text."""
TOOL = 8
"""Tokens of framing per tool schema (an upper bound over the APIs' own renderings)."""


def block_tokens(block: Block, count: Count) -> int:
    """Tokens of one block, its own framing included."""
    match block:
        case Text(text):
            return count(text)
        case ToolCall(_, name, arguments):
            return CALL + count(name) + count(arguments)
        case ToolResult():
            return MESSAGE + count(block.text)
        case Carry(carried):
            return count(carried)


def schema_tokens(schema: ToolSchema, count: Count) -> int:
    """Tokens of one tool's schema as JSON."""
    body = {"name": schema.name, "description": schema.description, "parameters": schema.parameters}
    return TOOL + count(json.dumps(body, ensure_ascii=False, separators=(",", ":")))
