"""How Anthropic's messages API is asked to think hard, and when an older model must not be asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ctxe.domain.model import Model

OWN = ("thinking", "redacted_thinking")
"""Blocks that a model thought in."""
LEAST_BUDGET = 1_024
"""The fewest tokens to think in that the API takes; they must be fewer than max_tokens."""
BUDGETS: Mapping[str, int] = {"low": 4_096, "medium": 10_240, "high": 24_576}
"""Tokens to think in for models that take no effort by name: ours, for the API names none."""


def thinking(effort: str, model: Model, limit: int, messages: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
    """How the API is asked for an effort: by its name, of older models by tokens to think in, out of the ``limit``.

    A quarter of the limit is left for words and calls; where that leaves less than the API's least, nothing is asked,
    nor in the middle of work that was begun without thinking: older models take no change there.
    """
    if not effort:
        return {}
    if not model.budgeted:
        return {"thinking": {"type": "adaptive"}, "output_config": {"effort": effort}}
    budget = min(BUDGETS.get(effort, BUDGETS["high"]), limit * 3 // 4)
    enough = budget >= LEAST_BUDGET and not _begun_without(messages)
    return {"thinking": {"type": "enabled", "budget_tokens": budget}} if enough else {}


def _begun_without(messages: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the calls whose results stand last belong to work that began without a thought."""
    first: Mapping[str, Any] | None = None
    answered = False
    for message in reversed(messages):
        if message["role"] == "user":
            answered = answered or any(block["type"] == "tool_result" for block in message["content"])
        elif not answered:
            break
        else:
            first, answered = message, False
    return first is not None and first["content"][0]["type"] not in OWN


def thoughtless(messages: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The messages without thoughts, for older models that are not asked to think."""
    return [
        {**message, "content": [block for block in message["content"] if block["type"] not in OWN]}
        for message in messages
    ]
