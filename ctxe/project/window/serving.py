"""What ``ctxe replay`` needs: a conversation under a budget and the counter of its tokens."""

from __future__ import annotations

from ctxe.context.budget import Budget
from ctxe.context.tokens import Count
from ctxe.domain.errors import ConfigError
from ctxe.project.window.replaying import Replayed
from ctxe.storage.vocabulary import PACKAGED, count, encoding

RESERVE = 4_096
"""Tokens that ``ctxe replay`` always keeps for the reply: part of its public contract."""

MARGIN = 64
"""Tokens for the framing of texts that join a message in a chat and are messages of their own here."""


def replayed(window: int, name: str = "o200k_base") -> tuple[Replayed, Count]:
    """An empty conversation and its counter, which counts a text once. Raises ConfigError without room for words.

    The whole vocabulary is loaded here: later, it would make one answer in the middle of the conversation take half a
    second.
    """
    if window <= RESERVE + MARGIN:
        raise ConfigError(f"--budget {window} leaves no room beside the {RESERVE:,} tokens of the reply", "give more")
    used = name if name in PACKAGED else "o200k_base"
    encoding(used)
    known: dict[str, int] = {}

    def counted(text: str) -> int:
        size = known.get(text)
        if size is None:
            size = known[text] = count(text, used)
        return size

    return Replayed(Budget(window, RESERVE + MARGIN), counted), counted
