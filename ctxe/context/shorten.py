"""The last resort when nothing else can give way: a shorter newest step or user message, marked as shortened."""

from __future__ import annotations

from ctxe.context.calls import shorten_arguments
from ctxe.context.pieces import Piece
from ctxe.context.tokens import Count
from ctxe.context.trim import trim
from ctxe.domain.conversation import ToolCall, ToolResult
from ctxe.domain.model import Block, Message, Text
from ctxe.domain.section import digest
from ctxe.domain.value import replace

LEAST = 64
"""Fewest tokens of a block that is worth cutting."""


def shorten_piece(piece: Piece, over: int, count: Count) -> Piece:
    """The piece with about ``over`` tokens cut from its longest blocks, as far as they give."""
    messages = list(piece.messages)
    saved = 0
    for at, n in _longest_first(piece, count):
        if saved >= over:
            break
        blocks = list(messages[at].blocks)
        short = _shorten(blocks[n], over - saved, count)
        saved += _size(blocks[n], count) - _size(short, count)
        blocks[n] = short
        messages[at] = Message(messages[at].role, tuple(blocks))
    if saved <= 0:
        return piece
    mark = digest("\0".join(repr(message) for message in messages))
    why = f"{piece.why}, shortened by {saved:,} tokens as a last resort"
    return replace(piece, messages=tuple(messages), tokens=piece.tokens - saved, why=why, digest=mark)


def _longest_first(piece: Piece, count: Count) -> list[tuple[int, int]]:
    """(message index, block index) of the blocks above LEAST tokens, longest first."""
    places = [
        (at, n)
        for at, message in enumerate(piece.messages)
        for n, block in enumerate(message.blocks)
        if _size(block, count) > LEAST
    ]
    return sorted(places, key=lambda place: -_size(piece.messages[place[0]].blocks[place[1]], count))


def _size(block: Block, count: Count) -> int:
    if isinstance(block, ToolCall):
        return count(block.arguments)
    return count(block.text) if isinstance(block, Text | ToolResult) else 0


def _shorten(block: Block, over: int, count: Count) -> Block:
    """The block with about ``over`` tokens cut; unchanged when cutting would not make it smaller."""
    room = max(LEAST // 2, _size(block, count) - over)
    short: Block = block
    if isinstance(block, ToolCall):
        short = replace(block, arguments=shorten_arguments(block.arguments, room, count))
    elif isinstance(block, ToolResult):
        short = replace(block, text=trim(block.text, "other", room, count, block.handle or block.call_id).text)
    elif isinstance(block, Text):
        short = replace(block, text=trim(block.text, "other", room, count).text)
    return short if _size(short, count) < _size(block, count) else block
