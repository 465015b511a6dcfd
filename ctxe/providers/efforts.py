"""Requesting an effort from Anthropic's messages API, and when an older model must not be asked to think."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ctxe.domain.model import Model

THINKING_TYPES = ("thinking", "redacted_thinking")
"""Types of thinking blocks."""
LEAST_BUDGET = 1_024
"""The smallest thinking budget in tokens that the API accepts; it must also be below max_tokens."""
BUDGETS: Mapping[str, int] = {"low": 4_096, "medium": 10_240, "high": 24_576}
"""Thinking budgets in tokens for models that do not know efforts by name; our choice."""


def thinking(effort: str, model: Model, limit: int, messages: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
    """The request fields for an effort: its name, or for older models a thinking budget out of the output ``limit``.

    A quarter of the limit is reserved for text and calls. Older models are not asked to think when the budget would be
    below the API's minimum, or in the middle of tool calls that began without thinking, where they refuse a change.
    """
    if not effort:
        return {}
    if not model.budgeted:
        return {"thinking": {"type": "adaptive"}, "output_config": {"effort": effort}}
    budget = min(BUDGETS.get(effort, BUDGETS["high"]), limit * 3 // 4)
    can_think = budget >= LEAST_BUDGET and not _begun_without(messages)
    return {"thinking": {"type": "enabled", "budget_tokens": budget}} if can_think else {}


def _begun_without(messages: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the messages end with results of tool calls that began without thinking."""
    first: Mapping[str, Any] | None = None
    answered = False
    for message in reversed(messages):
        if message["role"] == "user":
            answered = answered or any(block["type"] == "tool_result" for block in message["content"])
        elif not answered:
            break
        else:
            first, answered = message, False
    return first is not None and first["content"][0]["type"] not in THINKING_TYPES


def thoughtless(messages: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The messages without thinking blocks, for older models that are not asked to think."""
    return [
        {**message, "content": [block for block in message["content"] if block["type"] not in THINKING_TYPES]}
        for message in messages
    ]
