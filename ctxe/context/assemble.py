"""Composes one request and its ledger from sections, conversation and budget: pure, deterministic, never over budget.

Room is given in this order: the system prompt, the tools, the task (the running turn's words, its newest step, the
record of what was folded); then each share of the standing sections; then what was gathered for the task; then older
steps, newest first. A share is charged min(its room, what its sections ask for), not what they took. So the charge
grows slower than the budget: a larger budget takes nothing away from anybody. What a share does not ask for passes to
the next.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from ctxe.context.budget import Budget
from ctxe.context.conversation_pieces import ConversationPieces, conversation_pieces
from ctxe.context.ledger_rows import first_change, left_out_rows, omitted_rows, sent_rows
from ctxe.context.pieces import (
    HEADING,
    Piece,
    marks,
    request_of,
    section_pieces,
    tool_piece,
)
from ctxe.context.reply_blocks import ReplyBlocks
from ctxe.context.superseded import superseded_rows
from ctxe.context.tokens import MESSAGE, Count
from ctxe.domain.conversation import BEGINNING, Conversation, Position
from ctxe.domain.errors import BudgetError
from ctxe.domain.ledger import Ledger, Row
from ctxe.domain.model import Message, Request, Text, ToolSchema
from ctxe.domain.section import Omission, Priority, Section, ShareName, digest
from ctxe.domain.value import dataclass, replace

SHARE_ORDER: tuple[ShareName, ...] = ("memory", "instructions", "skills", "files")
"""The order in which shares get room: memory is priority 3, the rest priority 4 with instructions before files."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What precedes the conversation and is fixed for an epoch.

    Provider-specific blocks of replies by ``model`` are sent back to it from position ``since`` on.
    """

    tools: tuple[ToolSchema, ...] = ()
    sections: tuple[Section, ...] = ()
    model: str = ""
    exact: bool = True
    max_output: int = 4_096
    session: str = ""
    effort: str = ""
    since: Position = BEGINNING

    @property
    def reply_blocks(self) -> ReplyBlocks:
        """Selects the replies whose provider-specific blocks are sent."""
        return ReplyBlocks(self.model, self.since)


@dataclass(frozen=True, slots=True)
class Assembled:
    """A request, its ledger, and the content hashes of its pieces in wire order (see ``assemble(previous=…)``)."""

    request: Request
    ledger: Ledger
    marks: tuple[str, ...]


def assemble(
    frame: Frame, conversation: Conversation, budget: Budget, count: Count, previous: Sequence[str] = ()
) -> Assembled:
    """Compose the next request. ``previous`` are the marks of the request before, empty when nothing is cached.

    Raises BudgetError, naming the parts with their tokens, when system prompt, tools and task cannot fit.
    """
    tools = [tool_piece(schema, count) for schema in frame.tools]
    standing = {section.name: section_pieces(section, count) for section in frame.sections}
    rules = [p for s in frame.sections if s.priority is Priority.SYSTEM for p in standing[s.name]]
    uncut = conversation_pieces(conversation, count, frame.reply_blocks)
    fitted = _fit_task(uncut, budget.usable - _sum(tools) - _sum(rules), count, [*tools, *rules])
    must = _sum([*tools, *rules, *fitted.record, *_words(fitted), *fitted.steps[-1:]])
    # Room that shortening the task leaves by chance is not given out: with a larger budget it would be gone again.
    rest = budget.usable - must if fitted is uncut else 0
    shared, out, charged = _fill_shares(frame.sections, standing, budget, rest)
    kept, dropped = _newest_first(fitted, rest - charged, count)
    pieces = [*tools, *rules, *shared, *kept]
    request = request_of(pieces, frame.max_output, frame.session, frame.effort)
    account = (
        *sent_rows(pieces, previous, superseded_rows(conversation)),
        *out,
        *left_out_rows(dropped, "does not fit the window"),
        *omitted_rows(frame.sections, conversation),
    )
    ledger = Ledger(
        frame.model, budget.window, budget.reserve, account, frame.exact, broke=first_change(pieces, previous)
    )
    return Assembled(request, ledger, marks(pieces))


def pack(sections: Sequence[Section], budget: Budget, count: Count) -> tuple[Section, ...]:
    """Cut the sections gathered for a task to their shares, once; each chunk cut is named in ``left_out``."""
    room = {share: budget.room(share) for share in SHARE_ORDER}
    packed = []
    for section in sections:
        pieces = section_pieces(section, count)
        fit = _prefix(pieces, room[section.share] if section.share else budget.usable)
        if section.share:
            room[section.share] -= _sum(fit)
        cut = section.chunks[max(0, len(fit) - 1) :]
        omitted = tuple(Omission(chunk.id, count(chunk.text), f"over the {section.share} share") for chunk in cut)
        chunks = section.chunks[: len(section.chunks) - len(cut)]
        packed.append(replace(section, chunks=chunks, left_out=section.left_out + omitted))
    return tuple(packed)


def _sum(pieces: Sequence[Piece]) -> int:
    return sum(piece.tokens for piece in pieces)


def _words(parts: ConversationPieces) -> list[Piece]:
    return [parts.words] if parts.words else []


def _prefix(pieces: Sequence[Piece], room: int) -> list[Piece]:
    """The longest prefix that fits ``room``; a heading alone counts as nothing."""
    fit: list[Piece] = []
    for piece in pieces:
        room -= piece.tokens
        if room < 0:
            break
        fit.append(piece)
    return [] if len(fit) == 1 and fit[0].chunk == HEADING else fit


def _fill_shares(
    sections: Sequence[Section], standing: dict[str, tuple[Piece, ...]], budget: Budget, rest: int
) -> tuple[list[Piece], list[Row], int]:
    """Fit the standing sections into their shares, in order: pieces kept, rows of those left out, tokens charged."""
    rooms: dict[ShareName | None, int] = {}
    charged = spare = 0.0
    for share in SHARE_ORDER:
        asked = sum(_sum(standing[s.name]) for s in sections if s.share == share)
        own = budget.shares[share].exact(budget.usable) + spare
        room = max(0.0, min(own, rest - charged))
        rooms[share] = int(room)
        spare = max(0.0, own - asked)
        charged += min(room, asked)
    kept: list[Piece] = []
    out: list[Row] = []
    for section in sections:
        if section.priority is Priority.SYSTEM:
            continue
        pieces = standing[section.name]
        fit = _prefix(pieces, rooms.get(section.share, 0))
        rooms[section.share] = rooms.get(section.share, 0) - _sum(fit)
        kept += fit
        out += left_out_rows(pieces[len(fit) :], f"over the {section.share} share")
    return kept, out, math.ceil(round(charged, 6))


def _newest_first(parts: ConversationPieces, rest: int, count: Count) -> tuple[list[Piece], list[Piece]]:
    """Conversation pieces kept, in wire order, and dropped: gathered pieces get room first, then the newest steps."""
    history = [*parts.older, *parts.steps[:-1]]
    gathered = _prefix(parts.gathered, rest)
    rest -= _sum(gathered)
    whole = len(gathered) == len(parts.gathered)
    if history and not (whole and _sum(history) <= rest):
        rest -= _gap(len(history), count).tokens
    newest = _prefix(history[::-1], rest)[::-1] if whole else []
    lost = history[: len(history) - len(newest)]
    gap = [_gap(len(lost), count)] if lost and rest >= 0 else []
    own = len(parts.steps[:-1])
    before, after = (newest[: max(0, len(newest) - own)], newest[max(0, len(newest) - own) :])
    words = [replace(word, joins=bool(gathered)) for word in _words(parts)]
    kept = [*parts.record, *gap, *before, *gathered, *words, *after, *parts.steps[-1:]]
    return kept, [*lost, *parts.gathered[len(gathered) :]]


def _gap(number: int, count: Count) -> Piece:
    """A message in place of history that does not fit."""
    text = (
        f"[{number} earlier messages do not fit the window and are left out here; `recall` brings back what they said]"
    )
    message = Message("user", (Text(text),))
    tokens = count(text) + MESSAGE
    return Piece(
        "conversation",
        "(gap)",
        Priority.OLDER,
        "past",
        tokens,
        digest(text),
        "says what is missing",
        messages=(message,),
    )


def _fit_task(parts: ConversationPieces, room: int, count: Count, fixed: Sequence[Piece]) -> ConversationPieces:
    """Shorten the newest step, then the words, if the task exceeds ``room`` tokens; BudgetError when that fails."""
    over = _sum([*parts.record, *_words(parts), *parts.steps[-1:]]) - room
    if over <= 0:
        return parts
    from ctxe.context.shorten import shorten_piece  # rarely needed; start-up stays fast

    if parts.steps:
        step = shorten_piece(parts.steps[-1], over, count)
        over -= parts.steps[-1].tokens - step.tokens
        parts = replace(parts, steps=(*parts.steps[:-1], step))
    if over > 0 and parts.words:
        words = shorten_piece(parts.words, over, count)
        over -= parts.words.tokens - words.tokens
        parts = replace(parts, words=words)
    if over > 0:
        raise _too_small([*fixed, *parts.record, *_words(parts), *parts.steps[-1:]], over)
    return parts


def _too_small(pieces: Sequence[Piece], over: int) -> BudgetError:
    sizes: dict[str, int] = {}
    for piece in pieces:
        sizes[piece.section] = sizes.get(piece.section, 0) + piece.tokens
    parts = ", ".join(f"{name} {tokens:,}" for name, tokens in sizes.items())
    return BudgetError(
        f"the request cannot fit: {over:,} tokens over ({parts})",
        "use a larger --budget or a model with a larger window, or shorten the task",
    )
