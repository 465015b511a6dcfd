"""Compaction in one batch: a record replaces the older steps, the newest stay whole.

A fold is a value: the conversation keeps every original, and the same conversation, budget and policy give the same
fold.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from ctxe.context.assemble import Frame
from ctxe.context.budget import Budget
from ctxe.context.compact import FoldPolicy, FoldRoom, fold_cause, worth_folding
from ctxe.context.conversation_pieces import conversation_pieces
from ctxe.context.known_lines import texts_beside
from ctxe.context.lines import HistoryEntry, lines_in, names_in
from ctxe.context.long_messages import shorten_message
from ctxe.context.pieces import RECORD, Piece, section_pieces, step_piece, tool_piece
from ctxe.context.record import record
from ctxe.context.survey import Survey
from ctxe.context.tokens import JOIN, MESSAGE, Count
from ctxe.context.trim import trim
from ctxe.context.user_messages import MOST_OF_FIRST, kept_user_messages, left_out_handles
from ctxe.domain.conversation import Conversation, Fold, Position
from ctxe.domain.section import Chunk, Priority
from ctxe.domain.value import replace

MASK = 400
"""Tokens kept of an output that decays."""

FIRST, PART = 0.7, 0.15
"""Part of the record's room for a record chosen from scratch, and for a part appended to an existing one.

An existing record is read from the cache: at 16k, where folds are most of a session's cost, appending saves a fifth of
the total cost for the same retention (docs/folds-measured.md).
"""

WORDS = "words"
"""Prefix of the ids of chunks with user messages."""

TODO, TODO_TOOL = "todo", "update_todo"
"""Id of the chunk with the todo list, which survives every fold, and the tool that writes it."""


def fold(
    conversation: Conversation,
    room: FoldRoom,
    policy: FoldPolicy,
    count: Count,
    *,
    cause: str = "",
    also: Sequence[Chunk] = (),
    survey: Callable[[], Survey] | None = None,
) -> Fold:
    """Fold all but the newest steps.

    ``also`` are chunks that survive every fold (pins, the todo list). ``survey`` gives what the conversation has shown,
    with the originals of results that were trimmed; without it, results are read as the model saw them.
    """
    free = max(0, room.target(policy) - room.standing)
    upto, kept = _cut(conversation, int(free * (1 - policy.record_share)), policy, count)
    if upto == Position(0, 0):
        return Fold(upto, cause=cause)
    seen = survey() if survey else Survey().update(conversation, lambda result: result.text)
    words = kept_user_messages(conversation, upto, room, count)
    messages = [chunk for _, chunk in sorted(words.items())] + [*left_out_handles(conversation, upto, words)]
    extra = _size([*messages, *also], count) - count(words[0].text)
    space = max(0, free - kept - extra - JOIN)
    if (before := conversation.fold) and _is_current(before, upto, [*messages, *also], space, count):
        return replace(before, cause=cause)
    earlier = _earlier(conversation.fold, upto, messages, space, count)
    kept_chunks = [*earlier, *(chunk for chunk in messages if chunk not in earlier)]
    entries = _without_messages(seen.before(upto), [conversation.turns[t].words for t in words])
    if any(chunk.id == TODO for chunk in also):
        entries = [_emptied(entry) if entry.what == TODO_TOOL else entry for entry in entries]
    beside = [*texts_beside(conversation, upto)]
    covered = names_standing([*(chunk.text for chunk in (*kept_chunks, *also)), *beside], conversation, upto)
    beside += (chunk.text for chunk in earlier if chunk.id == RECORD)
    since = seen.steps_before(conversation.fold.upto) if earlier and conversation.fold else 0
    share = PART if earlier else FIRST
    text = record(seen, entries, covered, int(share * space), count, beside, since)
    if text:
        kept_chunks.append(Chunk(RECORD, text, f"stands for steps {since + 1} to {entries[-1].step}"))
    return Fold(upto, (*kept_chunks, *also), _decayed(conversation, upto, policy.decay_after, count), cause=cause)


def _earlier(
    before: Fold | None, upto: Position, user_chunks: Sequence[Chunk], space: int, count: Count
) -> tuple[Chunk, ...]:
    """The words and record of the fold before, when the new one can append to them unchanged; otherwise ().

    It cannot when other user messages are kept, or when the record leaves no room for one more part.
    """
    if before is None or before.upto == upto:
        return ()
    chunks = tuple(chunk for chunk in before.record if chunk.id == RECORD or chunk.id.startswith(WORDS))
    if any(chunk not in user_chunks for chunk in chunks if chunk.id != RECORD):
        return ()
    size = _size([chunk for chunk in chunks if chunk.id == RECORD], count)
    return chunks if 0 < size <= (1 - PART) * space else ()


def _is_current(before: Fold, upto: Position, wanted: Sequence[Chunk], space: int, count: Count) -> bool:
    """True when a new fold would equal the one before: nothing came since, and its record still has room."""
    others = [chunk for chunk in before.record if chunk.id != RECORD]
    fits = _size([chunk for chunk in before.record if chunk.id == RECORD], count) <= space + JOIN
    return before.upto == upto and others == list(wanted) and fits


def _size(chunks: Iterable[Chunk], count: Count) -> int:
    return sum(count(chunk.text) + JOIN for chunk in chunks)


def names_standing(texts: Sequence[str], conversation: Conversation, upto: Position) -> Iterator[str]:
    """Names that the request contains anyway: in ``texts`` and in the newest steps."""
    for text in texts:
        yield from names_in(text)
    for _, step in conversation.steps(upto):
        yield from names_in(step.reply.text)
        for call, result in zip(step.reply.calls, step.results, strict=True):
            yield from names_in(call.arguments)
            # Line by line, since the survey has most of these lines.
            for line in lines_in(result.text, "result"):
                yield from line.names


def _without_messages(entries: Sequence[HistoryEntry], present: Sequence[str]) -> list[HistoryEntry]:
    """``entries`` without the user messages in ``present``, which the request has anyway."""
    return [entry for entry in entries if entry.what != "user" or entry.title[0] not in present]


def _emptied(entry: HistoryEntry) -> HistoryEntry:
    """The entry as a step of which the record needs no line."""
    return replace(entry, title=(), path="", lines=())


def next_fold(
    frame: Frame,
    conversation: Conversation,
    budget: Budget,
    count: Count,
    policy: FoldPolicy,
    *,
    cause: str = "",
    also: Sequence[Chunk] = (),
    survey: Callable[[], Survey] | None = None,
) -> Fold | None:
    """The fold that the next request needs, with its tokens before and after, if any. A ``cause`` demands one.

    None when it would free too little, or when nothing came since the last one. A demanded fold has only as much room
    as the request takes now, and half of that where a provider rejected it as too long: its window is smaller than we
    think.
    """
    before = request_size(frame, conversation, count)
    usable = min(budget.usable, before // 2 if cause == "overflow" else before) if cause else budget.usable
    room = fold_room(frame, conversation, usable, count)
    done = sum(1 for _ in conversation.steps())
    cause = cause or fold_cause(before, whole_steps(conversation), room, policy, done) or ""
    if not cause:
        return None
    made = fold(conversation, room, policy, count, cause=cause, also=also, survey=survey)
    after = request_size(frame, replace(conversation, fold=made), count)
    if not worth_folding(before, after, cause) or _same(conversation.fold, made):
        return None
    return replace(made, tokens_before=before, tokens_after=after)


def _same(before: Fold | None, made: Fold) -> bool:
    """True when nothing came since the fold before.

    For cause "request" the record itself is not compared: asking twice does not make it smaller.
    """
    if before is None or before.upto != made.upto:
        return False
    if made.cause == "request":
        others = [[chunk for chunk in one.record if chunk.id != RECORD] for one in (before, made)]
        return others[0] == others[1]
    return before.record == made.record


def fold_room(frame: Frame, conversation: Conversation, usable: int, count: Count) -> FoldRoom:
    """The room of a request; no fold can shrink its tools, standing sections and the user's first message."""
    text = shorten_message(conversation.turns[0].words) if conversation.turns else ""
    first = min(count(text), int(MOST_OF_FIRST * usable)) + MESSAGE if conversation.turns else 0
    return FoldRoom(usable, _frame_tokens(frame, count) + first)


def _frame_tokens(frame: Frame, count: Count) -> int:
    tools = sum(tool_piece(schema, count).tokens for schema in frame.tools)
    return tools + sum(piece.tokens for section in frame.sections for piece in section_pieces(section, count))


def whole_steps(conversation: Conversation) -> int:
    """How many steps are not folded."""
    return sum(1 for _ in conversation.steps(conversation.upto))


def request_size(frame: Frame, conversation: Conversation, count: Count) -> int:
    """Tokens of the next request if it held the whole conversation (with its fold applied)."""
    parts = conversation_pieces(conversation, count, frame.reply_blocks)
    words = (parts.words,) if parts.words else ()
    pieces: tuple[Piece, ...] = (*parts.record, *parts.older, *parts.gathered, *words, *parts.steps)
    return _frame_tokens(frame, count) + sum(piece.tokens for piece in pieces)


def _cut(conversation: Conversation, room: int, policy: FoldPolicy, count: Count) -> tuple[Position, int]:
    """Where the kept steps begin, and their tokens: the newest that fit ``room``, within the policy's limits.

    The first step of a turn brings its words and what was gathered for them; an unanswered turn is always kept.
    """
    upto = _end(conversation)
    kept = _gathered(conversation, upto, count)
    for n, (position, step) in enumerate(reversed(list(conversation.steps()))):
        tokens = step_piece(step, "", count, None, Priority.RECENT).tokens + _gathered(conversation, position, count)
        if position.step == 0:
            tokens += count(conversation.turns[position.turn].words) + MESSAGE
        if (n >= max(1, policy.keep_recent) and kept + tokens > room) or 0 < policy.most_steps <= n:
            break
        upto, kept = position, kept + tokens
    return upto, kept


def _gathered(conversation: Conversation, at: Position, count: Count) -> int:
    """Tokens gathered for the turn that begins at position ``at``; 0 inside a turn."""
    if at.step or at.turn >= len(conversation.turns):
        return 0
    return sum(piece.tokens for s in conversation.turns[at.turn].gathered for piece in section_pieces(s, count))


def _end(conversation: Conversation) -> Position:
    """The last position that may be folded: a message that nobody answered stays."""
    last = max(0, len(conversation.turns) - 1)
    return Position(last, len(conversation.turns[last].steps)) if conversation.turns else Position()


def _decayed(conversation: Conversation, upto: Position, after: int, count: Count) -> dict[str, str]:
    """Masks of long outputs in kept steps with at least ``after`` newer ones: both ends and the handle of the whole."""
    steps = [step for _, step in conversation.steps(upto)]
    masks = {}
    for step in steps[: max(0, len(steps) - after)] if after else ():
        for result in step.results:
            if result.picture:
                masks[result.call_id] = f"{result.text}\n[it gave way; `recall {result.picture.handle}` shows it again]"
                continue
            short = trim(result.text, "other", MASK, count, result.handle or result.call_id)
            if short.is_cut:
                masks[result.call_id] = short.text
    return masks
