"""An embeddings server for tests: vectors that are true to words, in the shapes that real hosts send."""

from __future__ import annotations

import base64
import re
import struct
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

DIMENSIONS = 64
ALIKE = {"infusion": "tea", "brew": "tea", "bits": "leaves", "vessel": "pot", "mug": "cup"}
"""Words that mean the same to this model."""


def vector(text: str) -> list[float]:
    """Counts of the words, each in a place by its hash; the same text always gives the same vector."""
    found = [0.0] * DIMENSIONS
    for word in re.findall(r"[a-z]{3,}", text.lower()):
        place = blake2b(ALIKE.get(word, word).encode(), digest_size=2).digest()
        found[int.from_bytes(place) % DIMENSIONS] += 1.0
    return found


def answer(body: Mapping[str, Any]) -> dict[str, Any]:
    """What /v1/embeddings answers."""
    texts = [body["input"]] if isinstance(body["input"], str) else body["input"]
    rows = [{"object": "embedding", "index": n, "embedding": _sent(vector(text), body)} for n, text in enumerate(texts)]
    used = sum(len(text) // 4 for text in texts)
    return {
        "object": "list",
        "data": rows,
        "model": body["model"],
        "usage": {"prompt_tokens": used, "total_tokens": used},
    }


def _sent(numbers: list[float], body: Mapping[str, Any]) -> Any:
    if body.get("encoding_format") == "base64":
        return base64.b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode()
    return numbers
