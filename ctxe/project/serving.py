"""What ``ctxe replay`` needs: a conversation under a budget and the counter of its tokens."""

from __future__ import annotations

from collections.abc import Callable

from ctxe.context.budget import Budget
from ctxe.domain.errors import ConfigError
from ctxe.project.replaying import Replayed
from ctxe.storage.counts import Counts
from ctxe.storage.vocabulary import PACKAGED, count

RESERVE = 4_096
"""Tokens that ``ctxe replay`` always keeps for the reply: part of its public contract."""


def replayed(window: int, encoding: str = "o200k_base") -> tuple[Replayed, Callable[[str], int]]:
    """An empty conversation and its counter. Raises ConfigError for a window that leaves no room."""
    if window <= RESERVE:
        raise ConfigError(f"--budget {window} leaves no room beside the {RESERVE:,} tokens of the reply", "give more")
    used = encoding if encoding in PACKAGED else "o200k_base"
    counts = Counts(used, lambda text: count(text, used))
    return Replayed(Budget(window, RESERVE), counts), counts
