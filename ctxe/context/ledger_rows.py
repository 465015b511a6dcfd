"""The rows of a ledger, one per piece: what of a request was sent, left out or omitted, and what the cache holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ctxe.context.pieces import HEADING, Piece
from ctxe.domain.conversation import Conversation
from ctxe.domain.ledger import Row
from ctxe.domain.section import Section


def sent_rows(pieces: Sequence[Piece], previous: Sequence[str], old: Mapping[str, str]) -> list[Row]:
    """Rows of the pieces sent. ``previous`` are the marks of the request before.

    ``old`` maps the id or content hash of superseded pieces to what replaced them.
    """
    shared = _shared(pieces, previous)
    return [
        _row(p, given=p.tokens, cached=i < shared, old=old.get(p.chunk) or old.get(p.digest, ""))
        for i, p in enumerate(pieces)
    ]


def left_out_rows(pieces: Sequence[Piece], why: str) -> list[Row]:
    """Rows of pieces that found no room; headings get none, since nobody misses them."""
    return [_row(piece, given=0, why=why) for piece in pieces if piece.chunk != HEADING]


def omitted_rows(sections: Sequence[Section], conversation: Conversation) -> list[Row]:
    """Rows of what sources left out before assembly."""
    offered = [*sections, *(conversation.turns[-1].gathered if conversation.turns else ())]
    return [
        Row(section.name, omission.id, section.priority, omission.tokens, 0, section.placement, omission.why)
        for section in offered
        for omission in section.left_out
    ]


def first_change(pieces: Sequence[Piece], previous: Sequence[str]) -> str:
    """The first piece that differs from the request before; empty when the request only grew at its end."""
    same = _shared(pieces, previous)
    if same >= len(previous):
        return ""
    return f"{pieces[same].section}: {pieces[same].chunk}" if same < len(pieces) else "the request became shorter"


def _row(piece: Piece, *, given: int, why: str = "", cached: bool = False, old: str = "") -> Row:
    return Row(
        piece.section,
        piece.chunk,
        piece.priority,
        piece.tokens,
        given,
        piece.placement,
        why or piece.why,
        piece.tier,
        cached,
        piece.digest,
        old,
    )


def _shared(pieces: Sequence[Piece], previous: Sequence[str]) -> int:
    """How many leading pieces are the same as in the request before."""
    same = 0
    for piece, mark in zip(pieces, previous, strict=False):
        if piece.digest != mark:
            break
        same += 1
    return same
