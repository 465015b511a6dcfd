"""What a call of a server gave, as text: the parts that are text, and a word about those that are not."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ctxe.domain.tool import ToolOutput
from ctxe.safety.display import one_line, strip_sequences

MOST = 1_000_000
"""Characters of one answer that are kept, half from its beginning and half from its end."""


def answer(content: Sequence[Mapping[str, Any]], structured: Any, *, ok: bool) -> ToolOutput:
    """The output of a call from its content blocks (as JSON has them) and its structured content."""
    parts = [part for block in content for part in _block(block)]
    if not parts and structured is not None:
        parts = [json.dumps(structured, ensure_ascii=False, default=str)]
    text = strip_sequences(bounded("\n".join(parts)))
    return ToolOutput(text or ("(no output)" if ok else "it failed and said nothing"), ok)


def bounded(text: str) -> str:
    """A text of at most ``MOST`` characters; what was between is counted."""
    if len(text) <= MOST:
        return text
    half = MOST // 2
    return f"{text[:half]}\n… {len(text) - MOST:,} characters left out …\n{text[-half:]}"


def _block(block: Mapping[str, Any]) -> Iterator[str]:
    kind = block.get("type")
    if kind == "text":
        yield str(block.get("text", ""))
    elif kind == "resource" and isinstance(inner := block.get("resource"), Mapping):
        if "text" in inner:
            yield f"[{one_line(str(inner.get('uri', '')))}]\n{inner['text']}"
        else:
            yield _unseen("resource", inner, "blob")
    elif kind == "resource_link":
        yield f"[resource {one_line(str(block.get('name', '')))}: {one_line(str(block.get('uri', '')), 500)}]"
    else:
        yield _unseen(one_line(str(kind), 40), block, "data")


def _unseen(kind: str, block: Mapping[str, Any], key: str) -> str:
    """A line in place of what is no text; base 64 takes four characters for three bytes."""
    size = len(str(block.get(key, ""))) * 3 // 4
    return f"[{kind} {one_line(str(block.get('mimeType', 'of no known type')), 80)}, {size:,} bytes, not shown]"
