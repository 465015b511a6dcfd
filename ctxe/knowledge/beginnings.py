"""Fits a text or a list into a token limit, with a note about what was left out."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence

from ctxe.domain.section import Chunk, Omission
from ctxe.knowledge.fence import fence

SHORTEST_LINE = 6
"""Minimum tokens a line of a list can take: lines beyond what this allows are not counted."""

Beginning = tuple[Chunk | None, list[Omission]]
"""The part that fits (None when nothing does), and what was left out."""
Cost = Callable[[str], int]


def largest_fitting(most: int, fits: Callable[[int], bool]) -> int:
    """The largest number up to ``most`` that ``fits``, by binary search. Every number below one that fits must fit."""
    return bisect_left(range(1, most + 1), True, key=lambda number: not fits(number))


def beginning(path: str, text: str, room: int, cost: Cost) -> Beginning:
    """A curated summary: whole, or as many of its first paragraphs as fit ``room`` tokens."""
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
    """A list of one-line items: as many of the first as fit ``room`` tokens, then one line with the number left out."""
    if not lines:
        return None, []
    most = min(len(lines), max(0, room) // SHORTEST_LINE)
    kept = largest_fitting(most, lambda number: cost(_listing(name, what, lines, number, kind)) <= room)
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
