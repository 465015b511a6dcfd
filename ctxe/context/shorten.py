"""The last resort: the user's words or the newest step made shorter when nothing else can give way, and saying so."""

from __future__ import annotations

from dataclasses import replace

from ctxe.context.pieces import Piece
from ctxe.context.tokens import Count
from ctxe.context.trim import trim
from ctxe.domain.conversation import ToolResult
from ctxe.domain.model import Block, Message, Text
from ctxe.domain.section import digest

LEAST = 64
"""A block of fewer tokens is not worth cutting."""


def shorten_piece(piece: Piece, over: int, count: Count) -> Piece:
    """The piece with ``over`` tokens taken from its longest texts and results, as far as they give."""
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
    places = [
        (at, n)
        for at, message in enumerate(piece.messages)
        for n, block in enumerate(message.blocks)
        if isinstance(block, Text | ToolResult) and _size(block, count) > LEAST
    ]
    return sorted(places, key=lambda place: -_size(piece.messages[place[0]].blocks[place[1]], count))


def _size(block: Block, count: Count) -> int:
    return count(block.text) if isinstance(block, Text | ToolResult) else 0


def _shorten(block: Block, over: int, count: Count) -> Block:
    if not isinstance(block, Text | ToolResult):
        return block
    room = max(LEAST // 2, _size(block, count) - over)
    short = trim(block.text, "other", room, count).text
    return replace(block, text=short) if _size(replace(block, text=short), count) < _size(block, count) else block
