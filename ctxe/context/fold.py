"""Making history smaller in one batch: older steps give way to a record, the newest stay whole.

A fold is a value. It changes nothing: the conversation keeps every original, and the same conversation, budget and
policy give the same fold.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from ctxe.context.assemble import Frame
from ctxe.context.budget import Budget
from ctxe.context.compact import FoldPolicy, Room, due, worth_folding
from ctxe.context.lines import Entry, Whole, names_in
from ctxe.context.pieces import Piece, section_pieces, spoken, step_piece, tool_piece
from ctxe.context.record import record
from ctxe.context.survey import Survey
from ctxe.context.tokens import JOIN, MESSAGE, Count
from ctxe.context.trim import handle_of, trim
from ctxe.domain.conversation import Conversation, Fold, Position, ToolResult
from ctxe.domain.section import Chunk, Priority

MOST_WORDS, PART_OF_USABLE = 20_000, 4
"""The user's words stay whole through a fold up to so many tokens, and up to this part of what is usable."""

MOST_OF_FIRST = 0.6
"""Of what is usable the first words, which are the task, may take so much."""


MASK = 400
"""Tokens that stay of an output that decays."""


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
    also: Sequence[Chunk] = (),
    survey: Survey | None = None,
) -> Fold:
    """Fold all but the newest steps; ``whole`` gives back what was trimmed at birth, for lines come from originals.

    ``also`` stands beside the user's words: what has to survive every fold (pins, the todo list). ``survey`` is what
    was read of this conversation before, to save the time of reading it again.
    """
    free = max(0, room.target(policy) - room.standing)
    upto, kept = _cut(conversation, int(free * (1 - policy.record_share)), policy, count)
    if upto == Position(0, 0):
        return Fold(upto, cause=cause)
    survey = (survey or Survey()).read(conversation, whole)
    words = _words(conversation, upto, room, count)
    stays = [chunk for _, chunk in sorted(words.items())] + [*_left_out(conversation, upto, words), *also]
    extra = sum(count(chunk.text) + JOIN for chunk in stays) - count(words[0].text)
    entries = _without(survey.before(upto), [conversation.turns[t].words for t in words])
    covered = [*names_standing(stays, conversation, upto)]
    text = record(survey, entries, covered, max(0, free - kept - extra - JOIN), count)
    if text:
        stays.append(Chunk("record", text, f"stands for {entries[-1].step} steps"))
    return Fold(upto, tuple(stays), _decayed(conversation, upto, policy.decay_after, count), cause=cause)


def names_standing(chunks: Sequence[Chunk], conversation: Conversation, upto: Position) -> Iterator[str]:
    """Names that a request has anyway: in what stays and in the newest steps."""
    for chunk in chunks:
        yield from names_in(chunk.text)
    for position, step in conversation.steps():
        if (position.turn, position.step) >= (upto.turn, upto.step):
            yield from names_in(step.reply.text)
            for call, result in zip(step.reply.calls, step.results, strict=True):
                yield from names_in(call.arguments)
                yield from names_in(result.text)


def _without(entries: Sequence[Entry], spoken: Sequence[str]) -> list[Entry]:
    """Entries less the user's messages that stand elsewhere."""
    return [entry for entry in entries if entry.what != "user" or entry.title[0] not in spoken]


def next_fold(
    frame: Frame,
    conversation: Conversation,
    budget: Budget,
    count: Count,
    policy: FoldPolicy,
    *,
    cause: str = "",
    whole: Whole = shown,
    also: Sequence[Chunk] = (),
    survey: Survey | None = None,
) -> Fold | None:
    """The fold that the next request needs, if any, with what it saves; a ``cause`` demands one.

    There is none when it would free too little, or when nothing came since the last one. A demanded fold has only the
    room of what stands now, and half of it where a provider found that too long: its window is not what we think.
    """
    before = size_of(frame, conversation, count)
    usable = min(budget.usable, before // 2 if cause == "overflow" else before) if cause else budget.usable
    room = Room(usable, standing_tokens(frame, conversation, count, usable))
    cause = cause or due(before, _whole_steps(conversation), room, policy) or ""
    if not cause:
        return None
    made = fold(conversation, room, policy, count, cause=cause, whole=whole, also=also, survey=survey)
    after = size_of(frame, replace(conversation, fold=made), count)
    if not worth_folding(before, after, cause) or (conversation.fold and conversation.fold.upto == made.upto):
        return None
    return replace(made, tokens_before=before, tokens_after=after)


def standing_tokens(frame: Frame, conversation: Conversation, count: Count, usable: int) -> int:
    """Tokens that no fold can shrink: tools, standing sections and the first words of the user."""
    tools = sum(tool_piece(schema, count).tokens for schema in frame.tools)
    sections = sum(piece.tokens for section in frame.sections for piece in section_pieces(section, count))
    first = min(count(conversation.turns[0].words), int(MOST_OF_FIRST * usable)) + MESSAGE if conversation.turns else 0
    return tools + sections + first


def _whole_steps(conversation: Conversation) -> int:
    """How many steps stand whole."""
    upto = conversation.fold.upto if conversation.fold else Position()
    return sum((place.turn, place.step) >= (upto.turn, upto.step) for place, _ in conversation.steps())


def size_of(frame: Frame, conversation: Conversation, count: Count) -> int:
    """Tokens of the next request if all of the conversation were in it."""
    said = spoken(conversation, count)
    words = (said.words,) if said.words else ()
    pieces: tuple[Piece, ...] = (*said.record, *said.older, *said.gathered, *words, *said.steps)
    return standing_tokens(frame, Conversation(), count, 0) + sum(piece.tokens for piece in pieces)


def _cut(conversation: Conversation, room: int, policy: FoldPolicy, count: Count) -> tuple[Position, int]:
    """Where the kept steps begin, and their tokens: the newest that fit ``room``, or as many as the policy says."""
    upto, kept = _end(conversation), 0
    for n, (position, step) in enumerate(reversed(list(conversation.steps()))):
        tokens = step_piece(step, "", count, None, Priority.RECENT).tokens
        if position.step == 0:
            tokens += count(conversation.turns[position.turn].words) + MESSAGE
        if (n >= max(1, policy.keep_recent) and kept + tokens > room) or 0 < policy.most_steps <= n:
            break
        upto, kept = position, kept + tokens
    return upto, kept


def _end(conversation: Conversation) -> Position:
    """The newest place that may be folded: words that nobody answered stand."""
    last = max(0, len(conversation.turns) - 1)
    return Position(last, len(conversation.turns[last].steps)) if conversation.turns else Position()


def _decayed(conversation: Conversation, upto: Position, after: int, count: Count) -> dict[str, str]:
    """Masks of long outputs in kept steps with ``after`` newer ones or more: their ends, and how the whole is had."""
    steps = [
        step for position, step in conversation.steps() if (position.turn, position.step) >= (upto.turn, upto.step)
    ]
    masks = {}
    for step in steps[: max(0, len(steps) - after)] if after else ():
        for result in step.results:
            short = trim(result.text, "other", MASK, count, result.handle or result.call_id)
            if short.cut:
                masks[result.call_id] = short.text
    return masks


def _left_out(conversation: Conversation, upto: Position, words: Collection[int]) -> Iterator[Chunk]:
    """How the user's messages that do not stand are had; lines of them may stand in the record."""
    last = upto.turn if upto.step else upto.turn - 1
    handles = [handle_of(conversation.turns[t].words) for t in range(last + 1) if t not in words]
    if handles:
        text = f"[{len(handles)} more messages of the user: recall {', recall '.join(handles)}]"
        yield Chunk("words left out", text, "over the share of the user's words")


def _words(conversation: Conversation, upto: Position, room: Room, count: Count) -> dict[int, Chunk]:
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
