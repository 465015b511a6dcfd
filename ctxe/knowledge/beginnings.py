"""What of a text or a list has room: the first paragraphs, the first lines, and what is told of the rest."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence

from ctxe.domain.section import Chunk, Omission
from ctxe.knowledge.fence import fence

SHORTEST_LINE = 6
"""Tokens that a line of a list takes at least: what cannot fit is not even counted."""

Beginning = tuple[Chunk | None, list[Omission]]
"""What fits, if anything does, and what was left out."""
Cost = Callable[[str], int]


def longest(most: int, fits: Callable[[int], bool]) -> int:
    """How many parts fit of at most ``most``, where fewer fit whenever more do; asks about log2(most) times."""
    return bisect_left(range(1, most + 1), True, key=lambda number: not fits(number))


def beginning(path: str, text: str, room: int, cost: Cost) -> Beginning:
    """A summary, or as many of its paragraphs from the start as fit ``room`` tokens."""
    from ctxe.lexical.similarity import paragraphs

    whole = fence(text, path).text
    tokens = cost(whole)
    if tokens <= room:
        return Chunk(path, whole, "the curated summary", path=path), []
    kept: list[str] = []
    for part in paragraphs(text):
        if cost(fence("\n\n".join((*kept, part)), path).text) > room:
            break
        kept.append(part)
    left = [Omission(path, tokens, "longer than its part of the memory share: only its first paragraphs are in")]
    if not kept:
        return None, left
    return Chunk(path, fence("\n\n".join(kept), path, cut="read the file for the rest").text, "its start"), left


def listed(name: str, what: str, lines: Sequence[str], room: int, kind: str, cost: Cost) -> Beginning:
    """A list of one-liners, the first ones that fit ``room`` tokens; the rest is named in one line."""
    if not lines:
        return None, []
    most = min(len(lines), max(0, room) // SHORTEST_LINE)
    kept = longest(most, lambda number: cost(_listing(name, what, lines, number, kind)) <= room)
    more = len(lines) - kept
    left = [Omission(f"{more} more: {what}", 0, f"over its part: `ctxe memory search --kind {kind}`")] if more else []
    if not kept:
        return None, left
    return Chunk(name, _listing(name, what, lines, kept, kind), f"{kept} of {len(lines)}: {what}"), left


def _listing(name: str, what: str, lines: Sequence[str], kept: int, kind: str) -> str:
    more = len(lines) - kept
    shown = [f"{what}:", *lines[:kept]]
    shown += [f"- {more} more: `ctxe memory search --kind {kind} …`"] if more else []
    return fence("\n".join(shown), f".ctxe/{name}").text
