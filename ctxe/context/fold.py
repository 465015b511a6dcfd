"""Making history smaller in one batch: older steps give way to a record, the newest stay whole.

A fold is a value. It changes nothing: the conversation keeps every original, and the same conversation, budget and
policy give the same fold.
"""

from __future__ import annotations

from collections.abc import Iterator

from ctxe.context.assemble import Frame
from ctxe.context.budget import Budget
from ctxe.context.compact import FoldPolicy, Room, due
from ctxe.context.lines import Entry, Whole, entries_of, lines_in, names_in
from ctxe.context.pieces import section_pieces, spoken, step_piece, tool_piece
from ctxe.context.record import record
from ctxe.context.tokens import JOIN, MESSAGE, Count
from ctxe.context.worth import Weights
from ctxe.domain.conversation import Conversation, Fold, Position, ToolResult
from ctxe.domain.section import Chunk, Priority


def shown(result: ToolResult) -> str:
    """The text of a result as the model was told."""
    return result.text


def fold(
    conversation: Conversation,
    room: Room,
    policy: FoldPolicy,
    count: Count,
    *,
    cause: str = "",
    whole: Whole = shown,
) -> Fold:
    """Fold all but the newest steps; ``whole`` gives back what was trimmed at birth, for lines come from originals."""
    free = max(0, room.target(policy) - room.standing)
    upto, kept = _cut(conversation, int(free * (1 - policy.record_share)), policy.keep_recent, count)
    if upto == Position(0, 0):
        return Fold(upto, cause=cause)
    entries = list(_entries(conversation, upto, whole))
    first = conversation.turns[0].words
    text = record(entries, names_in(first), max(0, free - kept - JOIN), count, Weights())
    chunks = [Chunk("words 1", first, "the user's words")]
    if text:
        chunks.append(Chunk("record", text, f"stands for {entries[-1].step} steps"))
    return Fold(upto, tuple(chunks), cause=cause)


def next_fold(
    frame: Frame,
    conversation: Conversation,
    budget: Budget,
    count: Count,
    policy: FoldPolicy,
    *,
    cause: str = "",
    whole: Whole = shown,
) -> Fold | None:
    """The fold that the next request needs, if any; a ``cause`` demands one."""
    room = Room(budget.usable, standing_tokens(frame, conversation, count))
    cause = cause or due(size_of(frame, conversation, count), room, policy) or ""
    return fold(conversation, room, policy, count, cause=cause, whole=whole) if cause else None


def standing_tokens(frame: Frame, conversation: Conversation, count: Count) -> int:
    """Tokens that no fold can shrink: tools, standing sections and the first words of the user."""
    tools = sum(tool_piece(schema, count).tokens for schema in frame.tools)
    sections = sum(piece.tokens for section in frame.sections for piece in section_pieces(section, count))
    words = count(conversation.turns[0].words) + MESSAGE if conversation.turns else 0
    return tools + sections + words


def size_of(frame: Frame, conversation: Conversation, count: Count) -> int:
    """Tokens of the next request if all of the conversation were in it."""
    said = spoken(conversation, count)
    words = (said.words,) if said.words else ()
    pieces = (*said.record, *said.older, *said.gathered, *words, *said.steps)
    return standing_tokens(frame, Conversation(), count) + sum(piece.tokens for piece in pieces)


def _cut(conversation: Conversation, room: int, least: int, count: Count) -> tuple[Position, int]:
    """Where the kept steps begin, and their tokens: the newest that fit ``room``, at least ``least`` of them."""
    upto, kept = Position(len(conversation.turns), 0), 0
    for n, (position, step) in enumerate(reversed(list(conversation.steps()))):
        tokens = step_piece(step, "", count, None, Priority.RECENT).tokens
        if position.step == 0:
            tokens += count(conversation.turns[position.turn].words) + MESSAGE
        if n >= least and kept + tokens > room:
            break
        upto, kept = position, kept + tokens
    return upto, kept


def _entries(conversation: Conversation, upto: Position, whole: Whole) -> Iterator[Entry]:
    """What was done and said before a position, oldest first; the first turn's words stand elsewhere."""
    number = 0
    for t, turn in enumerate(conversation.turns[: upto.turn + 1]):
        if t and (t < upto.turn or upto.step):
            yield Entry(number, "user", lines=tuple(lines_in(turn.words, "words")))
        for step in turn.steps[: None if t < upto.turn else upto.step]:
            number += 1
            yield from entries_of(step, number, whole)
