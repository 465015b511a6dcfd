"""The conversation of a request as pieces in wire order, with the fold applied."""

from __future__ import annotations

from ctxe.context.pieces import Piece, record_pieces, step_piece, turn_pieces
from ctxe.context.reply_blocks import EVERY, ReplyBlocks
from ctxe.context.tokens import Count
from ctxe.domain.conversation import Conversation, Position
from ctxe.domain.section import Priority
from ctxe.domain.value import dataclass


@dataclass(frozen=True, slots=True)
class ConversationPieces:
    """The conversation as pieces: the record, older turns and steps (oldest first), and parts of the running turn."""

    record: tuple[Piece, ...]
    older: tuple[Piece, ...]
    gathered: tuple[Piece, ...]
    words: Piece | None
    steps: tuple[Piece, ...]


def conversation_pieces(conversation: Conversation, count: Count, own: ReplyBlocks = EVERY) -> ConversationPieces:
    """The pieces of a conversation with its fold applied; the last turn is the running one."""
    fold, upto = conversation.fold, conversation.upto
    older: list[Piece] = []
    gathered: tuple[Piece, ...] = ()
    words: Piece | None = None
    steps: list[Piece] = []
    last = len(conversation.turns) - 1
    for t, turn in enumerate(conversation.turns):
        if t < upto.turn:
            continue
        first = upto.step if t == upto.turn else 0
        running = t == last
        if first == 0:
            around, message = turn_pieces(turn, t + 1, count, running=running)
            if running:
                gathered, words = around, message
            else:
                older += [*around, message]
        newest = len(turn.steps) - 1
        into = steps if running else older
        for s in range(first, len(turn.steps)):
            priority = Priority.TASK if running and s == newest else Priority.RECENT
            step, back = turn.steps[s], own.goes_back(turn.steps[s].reply, Position(t, s))
            into.append(step_piece(step, f"step {t + 1}.{s + 1}", count, fold, priority, own=back))
    return ConversationPieces(record_pieces(fold, count) if fold else (), tuple(older), gathered, words, tuple(steps))
