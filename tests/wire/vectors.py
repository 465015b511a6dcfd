"""An embeddings model for tests: its vectors count words, and its answers have the shapes of real hosts."""

from __future__ import annotations

import base64
import re
import struct
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

DIMENSIONS = 64
ALIKE = {"infusion": "tea", "brew": "tea", "bits": "leaves", "vessel": "pot", "mug": "cup"}
"""Synonyms for this model."""


def vector(text: str) -> list[float]:
    """Word counts, each at an index given by the word's hash; deterministic."""
    found = [0.0] * DIMENSIONS
    for word in re.findall(r"[a-z]{3,}", text.lower()):
        place = blake2b(ALIKE.get(word, word).encode(), digest_size=2).digest()
        found[int.from_bytes(place) % DIMENSIONS] += 1.0
    return found


def answer(body: Mapping[str, Any]) -> dict[str, Any]:
    """The answer of /v1/embeddings."""
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
