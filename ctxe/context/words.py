"""The user's words through a fold: the first, which are the task, and the newest stand whole, then newest first."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from ctxe.context.compact import Room
from ctxe.context.tokens import Count
from ctxe.context.trim import handle_of, trim
from ctxe.domain.conversation import Conversation, Position
from ctxe.domain.section import Chunk

MOST_WORDS, PART_OF_USABLE = 20_000, 4
"""The user's words stay whole through a fold up to so many tokens, and up to this part of what is usable."""

MOST_OF_FIRST = 0.6
"""Of what is usable the first words, which are the task, may take so much."""


def left_out(conversation: Conversation, upto: Position, words: Collection[int]) -> Iterator[Chunk]:
    """How the user's messages that do not stand are had; lines of them may stand in the record."""
    last = upto.turn if upto.step else upto.turn - 1
    handles = [handle_of(conversation.turns[t].words) for t in range(last + 1) if t not in words]
    if handles:
        text = f"[{len(handles)} more messages of the user: recall {', recall '.join(handles)}]"
        yield Chunk("words left out", text, "over the share of the user's words")


def words_kept(conversation: Conversation, upto: Position, room: Room, count: Count) -> dict[int, Chunk]:
    """The user's words before a position that stay, by turn: the first and the newest, then newest first.

    Only the first and the newest are ever shortened.
    """
    last = upto.turn if upto.step else upto.turn - 1
    left = min(MOST_WORDS, room.usable // PART_OF_USABLE)
    most = {0: int(MOST_OF_FIRST * room.usable), last: left} if last else {0: int(MOST_OF_FIRST * room.usable)}
    kept: dict[int, Chunk] = {}
    for t in dict.fromkeys([0, last, *range(last - 1, 0, -1)]):
        words = conversation.turns[t].words
        if t in most and count(words) > most[t]:
            words = trim(words, "other", most[t], count).text
        if t not in most and count(words) > left:
            break
        kept[t] = Chunk(f"words {t + 1}", words, "the user's words")
        left -= count(words) if t else 0
    return kept
