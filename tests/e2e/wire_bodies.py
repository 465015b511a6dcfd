"""The three APIs, and the blocks of a request body in the order that the model reads them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from tests.e2e.harness import anthropic_at, openai_at

APIS: dict[str, Callable[[str], dict[str, str]]] = {
    "chat": openai_at,
    "messages": anthropic_at,
    "responses": lambda url: openai_at(url) | {"CTXE_MODEL_API": "responses"},
}


def blocks(api: str, body: Mapping[str, Any]) -> list[str]:
    """Everything that is sent in its order on the wire, block by block, without marks for the cache."""
    if api == "messages":
        told = [(message["role"], block) for message in body["messages"] for block in message["content"]]
        parts = [*body["tools"], *body["system"], *told]
    elif api == "chat":
        parts = [*body["tools"], *body["messages"]]
    else:
        parts = [*body["tools"], body.get("instructions"), *body["input"]]
    return [json.dumps(unmarked(part)) for part in parts]


def unmarked(value: Any) -> Any:
    """The same without cache marks, in the order in which it was written."""
    if isinstance(value, dict):
        return {key: unmarked(inner) for key, inner in value.items() if key != "cache_control"}
    return [unmarked(inner) for inner in value] if isinstance(value, list | tuple) else value
