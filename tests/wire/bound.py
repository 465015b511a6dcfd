"""Checks signed reasoning like the host of newer Claude models: it is valid only behind its original prefix."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

BINDING = re.compile(r"claude-(?:opus-5-5|sonnet-5-5|haiku-5-5|fable-5-[12]|mythos-5-[12])$")
THOUGHTS = ("thinking", "redacted_thinking")


class Bound:
    """The request prefix of each thought when it was made, by the thought's signature."""

    def __init__(self) -> None:
        self._before: dict[str, str] = {}

    def remember(self, signature: str, body: Mapping[str, Any]) -> None:
        """Record that a thought was made in the answer to this request."""
        self._before[signature] = _told(body, _merged(body["messages"]))

    def refusal(self, body: Mapping[str, Any]) -> str:
        """The message of the 400 for the first thought behind a different prefix; empty when all are valid."""
        if not BINDING.search(str(body.get("model"))):
            return ""
        merged = _merged(body.get("messages", ()))
        for at, n, block in _thoughts(merged):
            before = _told(body, [*merged[:at], *([(merged[at][0], merged[at][1][:n])] if n else [])])
            if self._before.get(str(block.get("signature"))) != before:
                said = "Invalid `signature` in `thinking` block. The block is bound to a different conversation."
                return f"messages.{at}.content.{n}: {said} Remove the block, or let it be dropped."
        return ""


def _thoughts(merged: Sequence[tuple[str, list[Any]]]) -> Iterator[tuple[int, int, Mapping[str, Any]]]:
    for at, (_, blocks) in enumerate(merged):
        yield from ((at, n, block) for n, block in enumerate(blocks) if block["type"] in THOUGHTS)


def _merged(messages: Sequence[Mapping[str, Any]]) -> list[tuple[str, list[Any]]]:
    """Messages without cache marks, adjacent ones of one role merged, as the host reads them."""
    merged: list[tuple[str, list[Any]]] = []
    for message in messages:
        content = message["content"]
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
        plain = [{key: value for key, value in block.items() if key != "cache_control"} for block in blocks]
        if merged and merged[-1][0] == message["role"]:
            merged[-1][1].extend(plain)
        else:
            merged.append((message["role"], plain))
    return merged


def _told(body: Mapping[str, Any], merged: Sequence[tuple[str, list[Any]]]) -> str:
    system = [block["text"] for block in body.get("system", ())]
    return json.dumps([system, body.get("tools"), merged], sort_keys=True)
