"""Words of the user that are too long to be words: a log that was piped in, a dump that was pasted."""

from __future__ import annotations

from functools import lru_cache

from ctxe.context.trim import trim

MOST_TOLD = 50_000
"""Tokens of the user's words that are told as they are; the whole of longer ones is had by its handle."""
CHARS = 4
"""Characters that count as a token here: what is told of words is the same whatever model counts them."""


@lru_cache(maxsize=16)
def in_short(words: str) -> str:
    """The user's words as they are told: of endless ones the beginning, the end, and what speaks of errors."""
    if len(words) <= MOST_TOLD * CHARS:
        return words
    return trim(words, "shell", MOST_TOLD, lambda text: len(text) // CHARS).text
