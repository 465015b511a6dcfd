"""The user's messages through a fold: the first (the task) and the newest stay, then the others, newest first."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from ctxe.context.compact import FoldRoom
from ctxe.context.long_messages import shorten_message
from ctxe.context.tokens import Count
from ctxe.context.trim import handle_of, trim
from ctxe.domain.conversation import Conversation, Position
from ctxe.domain.section import Chunk

MOST_WORDS, PART_OF_USABLE = 20_000, 4
"""Room for the messages after the first: the smaller of MOST_WORDS tokens and usable // PART_OF_USABLE."""

BEGINNING, MARK = 1_200, 50
"""Characters kept of a message that cannot be kept whole, and of the note with its handle."""

MOST_OF_FIRST = 0.6
"""Part of the usable tokens that the first message, which is the task, may take."""


def first_words(words: str, usable: int, count: Count) -> str:
    """The first message as every fold keeps it: as it was sent before where it fits, else trimmed."""
    whole, room = shorten_message(words), int(MOST_OF_FIRST * usable)
    return whole if count(whole) <= room else trim(words, "other", room, count).text


def left_out_handles(conversation: Conversation, upto: Position, words: Collection[int]) -> Iterator[Chunk]:
    """A chunk with the handles of the messages that are not in ``words``; their lines may still be in the record."""
    last = upto.turn if upto.step else upto.turn - 1
    handles = [handle_of(conversation.turns[t].words) for t in range(last + 1) if t not in words]
    if handles:
        text = f"[{len(handles)} more messages of the user: recall {', recall '.join(handles)}]"
        yield Chunk("words left out", text, "over the share of the user's words")


def kept_user_messages(conversation: Conversation, upto: Position, room: FoldRoom, count: Count) -> dict[int, Chunk]:
    """The user's messages before ``upto`` that a fold keeps, by turn index: first and newest, then newest first.

    Only the first and the newest are trimmed to their room; a newest that is too long leaves up to half of it to the
    others. Of those, as many as possible keep at least their beginning before any of them is kept whole.
    """
    last = upto.turn if upto.step else upto.turn - 1
    left = min(MOST_WORDS, room.usable // PART_OF_USABLE)
    words = [turn.words for turn in conversation.turns[: last + 1]]
    kept = {0: first_words(words[0], room.usable, count)}
    older = range(last - 1, 0, -1)
    if last and count(words[last]) <= left:
        kept[last] = words[last]
    elif last:
        others = min(left // 2, sum(count(beginning_of(words[t])) for t in older))
        kept[last] = trim(words[last], "other", left - others, count).text
    left -= count(kept[last]) if last else 0
    for t in older:
        if (size := count(beginning_of(words[t]))) > left:
            break
        kept[t], left = beginning_of(words[t]), left - size
    for t in older:
        if t in kept and (more := count(words[t]) - count(kept[t])) <= left:
            kept[t], left = words[t], left - more
    return {t: Chunk(f"words {t + 1}", text, "the user's words") for t, text in kept.items()}


def beginning_of(words: str) -> str:
    """The beginning of a long message and the handle of the rest; a short message whole."""
    if len(words) <= BEGINNING + MARK:
        return words
    return f"{words[:BEGINNING]}\n[{len(words) - BEGINNING:,} more characters; recall {handle_of(words)}]"
