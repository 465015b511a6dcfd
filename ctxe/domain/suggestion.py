"""The known name that a misspelt one may mean, for the hint of an error."""

from __future__ import annotations

from collections.abc import Iterable


def nearest_name(word: str, known: Iterable[str], least: float = 0.6) -> str:
    """The most similar known name; empty when none has the ``least`` similarity, a number from 0 to 1."""
    import difflib

    return next(iter(difflib.get_close_matches(word, list(known), 1, least)), "")


def did_you_mean(word: str, known: Iterable[str], least: float = 0.6) -> str:
    """``did you mean NAME?``; empty when no known name is similar."""
    name = nearest_name(word, known, least)
    return f"did you mean {name}?" if name else ""
