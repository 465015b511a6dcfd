"""The user's words through a fold: the first, which are the task, and the newest stand whole, then newest first."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from ctxe.context.compact import FoldRoom
from ctxe.context.pasted import in_short
from ctxe.context.tokens import Count
from ctxe.context.trim import handle_of, trim
from ctxe.domain.conversation import Conversation, Position
from ctxe.domain.section import Chunk

MOST_WORDS, PART_OF_USABLE = 20_000, 4
"""The user's words stay whole through a fold up to so many tokens, and up to this part of what is usable."""

BEGINNING, MARK = 1_200, 50
"""Characters of a message that stand when it cannot stand whole, and of the note how the rest is had."""

MOST_OF_FIRST = 0.6
"""Of what is usable the first words, which are the task, may take so much."""


def first_words(words: str, usable: int, count: Count) -> str:
    """The first words as they stand through every fold: as they were told before it where they have room."""
    told, room = in_short(words), int(MOST_OF_FIRST * usable)
    return told if count(told) <= room else trim(words, "other", room, count).text


def left_out(conversation: Conversation, upto: Position, words: Collection[int]) -> Iterator[Chunk]:
    """How the user's messages that do not stand are had; lines of them may stand in the record."""
    last = upto.turn if upto.step else upto.turn - 1
    handles = [handle_of(conversation.turns[t].words) for t in range(last + 1) if t not in words]
    if handles:
        text = f"[{len(handles)} more messages of the user: recall {', recall '.join(handles)}]"
        yield Chunk("words left out", text, "over the share of the user's words")


def words_kept(conversation: Conversation, upto: Position, room: FoldRoom, count: Count) -> dict[int, Chunk]:
    """The user's words before a position that stay, by turn: the first and the newest whole, then newest first.

    Only the first and the newest are shortened to what they may take; a newest that is too long leaves up to half for
    the others. Of those as many as possible stand with their beginning at least, before any of them stands whole.
    """
    last = upto.turn if upto.step else upto.turn - 1
    left = min(MOST_WORDS, room.usable // PART_OF_USABLE)
    words = [turn.words for turn in conversation.turns[: last + 1]]
    kept = {0: first_words(words[0], room.usable, count)}
    older = range(last - 1, 0, -1)
    if last and count(words[last]) <= left:
        kept[last] = words[last]
    elif last:
        others = min(left // 2, sum(count(begun(words[t])) for t in older))
        kept[last] = trim(words[last], "other", left - others, count).text
    left -= count(kept[last]) if last else 0
    for t in older:
        if (size := count(begun(words[t]))) > left:
            break
        kept[t], left = begun(words[t]), left - size
    for t in older:
        if t in kept and (more := count(words[t]) - count(kept[t])) <= left:
            kept[t], left = words[t], left - more
    return {t: Chunk(f"words {t + 1}", text, "the user's words") for t, text in kept.items()}


def begun(words: str) -> str:
    """The beginning of a long message, and how the rest is had."""
    if len(words) <= BEGINNING + MARK:
        return words
    return f"{words[:BEGINNING]}\n[{len(words) - BEGINNING:,} more characters; recall {handle_of(words)}]"
