"""Reconstructs the requests of a session from its log: which there were, what each was for, what each held."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Sequence

from ctxe.agent.state import State
from ctxe.agent.transitions import apply
from ctxe.context.conversation_pieces import conversation_pieces
from ctxe.context.pieces import Piece, section_pieces, tool_piece
from ctxe.domain.conversation import ToolCall, ToolResult
from ctxe.domain.events import ContextAssembled, Folded, Kept, ModelChosen, ReplyReceived, Unfolded
from ctxe.domain.ledger import Ledger
from ctxe.domain.model import Block, Carry, Image, Text, ToolSchema
from ctxe.domain.past import SentRequest, WireText
from ctxe.domain.value import replace

Epoch = ModelChosen | Folded | Unfolded


def requests(timed: Iterable[tuple[str, Kept]]) -> Iterator[tuple[SentRequest, State]]:
    """Every request with its reply, and the state it was composed from; ``timed`` are (time, event) pairs.

    A request that was not answered (an error, an interrupt) has no reply.
    """
    state, number = State(), 0
    begins: Epoch | None = None
    newest: tuple[SentRequest, State] | None = None
    for at, event in timed:
        if isinstance(event, ContextAssembled):
            if newest:
                yield newest
            number += 1
            newest, begins = (_sent(number, at, event.ledger, state, begins), state), None
        elif isinstance(event, ReplyReceived) and newest and newest[0].reply is None:
            ledger = replace(newest[0].ledger, usage=event.reply.usage, usd=event.usd)
            newest = replace(newest[0], ledger=ledger, reply=event.reply, seconds=event.seconds), newest[1]
        elif isinstance(event, Epoch):
            begins = event
        state = apply(state, event)
    if newest:
        yield newest


def _sent(number: int, at: str, ledger: Ledger, state: State, begins: Epoch | None) -> SentRequest:
    turns = state.conversation.turns
    words, step = (turns[-1].words, len(turns[-1].steps) + 1) if turns else ("", 1)
    fold = begins.fold if isinstance(begins, Folded) else None
    return SentRequest(number, len(turns), step, ledger, at, words, _why(begins) if number > 1 else "", fold)


def _why(begins: Epoch | None) -> str:
    match begins:
        case ModelChosen(model):
            return f"the model is {model} from here on"
        case Folded(fold):
            return f"folded: {fold.cause}" if fold.cause else "folded"
        case Unfolded():
            return "the newest fold was taken back"
        case None:
            return ""


def texts(
    ledger: Ledger, state: State, tools: Sequence[ToolSchema], known: Collection[str] = ()
) -> dict[str, tuple[WireText, ...]]:
    """The texts of a request's rows by content hash, except those in ``known``.

    A text whose hash cannot be found (shortened as a last resort, or a tool whose schema has changed) is missing.
    """
    wanted = {row.digest for row in ledger.rows if row.given} - set(known)
    return (
        {piece.digest: wire_texts(piece) for piece in _pieces(state, tools) if piece.digest in wanted} if wanted else {}
    )


def _pieces(state: State, tools: Sequence[ToolSchema]) -> Iterator[Piece]:
    """All pieces that the request after this state can consist of; their tokens are not needed, so ``len`` counts."""
    parts = conversation_pieces(state.conversation, len)
    yield from (tool_piece(tool, len) for tool in tools)
    yield from (piece for section in state.standing or () for piece in section_pieces(section, len))
    yield from (*parts.record, *parts.older, *parts.gathered, *([parts.words] if parts.words else []), *parts.steps)


def wire_texts(piece: Piece) -> tuple[WireText, ...]:
    """What a piece says on the wire, block by block."""
    if piece.tool is not None:
        parameters = json.dumps(piece.tool.parameters, ensure_ascii=False, indent=2)
        return (("tool", f"{piece.tool.name}\n{piece.tool.description}\n{parameters}"),)
    if piece.placement == "system":
        return (("system", piece.text),)
    return tuple(_said(message.role, block) for message in piece.messages for block in message.blocks)


def _said(role: str, block: Block) -> WireText:
    match block:
        case Text(text):
            return role, text
        case ToolCall(_, name, arguments):
            return "call", f"{name} {arguments}"
        case ToolResult():
            return "result", block.text
        case Image(picture):
            return role, f"[{picture.description}]"
        case Carry(carried):
            return "carry", carried
