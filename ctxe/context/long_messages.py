"""User messages that are too long to send whole: a log piped in, a dump pasted."""

from __future__ import annotations

from functools import lru_cache

from ctxe.context.trim import trim

MOST_TOLD = 50_000
"""Tokens up to which a message is sent as it is; a longer one is trimmed, and its handle recalls the whole."""
CHARS = 4
"""Characters per token here, fixed so that the trimmed message is the same whatever model counts it."""


@lru_cache(maxsize=16)
def shorten_message(words: str) -> str:
    """The message as it is sent: of a very long one the beginning, the end, and lines about errors."""
    if len(words) <= MOST_TOLD * CHARS:
        return words
    return trim(words, "shell", MOST_TOLD, lambda text: len(text) // CHARS).text
