"""Exact search and replace in a text: nothing is guessed, and no other character changes."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

from ctxe.domain.errors import NotApplied, ToolError
from ctxe.domain.value import dataclass
from ctxe.tools.diff import Hunk, hunks
from ctxe.tools.nearest import no_match_message
from ctxe.tools.text import line_end, split

LISTED = 12
"""Line numbers that are listed for an ambiguous match."""


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace ``old`` by ``new``, once, or in all places if ``everywhere``. Line ends follow the file."""

    old: str
    new: str
    everywhere: bool = False


@dataclass(frozen=True, slots=True)
class Flat:
    r"""A text with every line end as ``\n``; ``pairs`` are the places where the original has ``\r\n``."""

    text: str
    pairs: tuple[int, ...]

    def origin(self, at: int) -> int:
        r"""The original position of the character at ``at``; for a ``\r\n`` that of its ``\r``."""
        return at + bisect_left(self.pairs, at)


def flatten(text: str) -> Flat:
    r"""Turn all line ends into ``\n``; a ``\r`` alone counts as one only in a text without any ``\n``."""
    if "\r" not in text:
        return Flat(text, ())
    if "\n" not in text:
        return Flat(text.replace("\r", "\n"), ())
    pairs: list[int] = []
    at = 0
    for piece in text.split("\r\n")[:-1]:
        at += len(piece)
        pairs.append(at)
        at += 1
    return Flat(text.replace("\r\n", "\n"), tuple(pairs))


def apply(text: str, edits: Sequence[Edit], name: str) -> str:
    """The text after all edits, applied one after another.

    Raises NotApplied, with line numbers, for an ``old`` that is missing or that occurs more than once without
    ``everywhere``, and ToolError for an edit that makes no sense.
    """
    for number, edit in enumerate(edits, 1):
        label = f"edit {number} of {len(edits)}: " if len(edits) > 1 else ""
        try:
            text = _one(text, edit, name)
        except ToolError as error:
            none = "; nothing was changed" if len(edits) > 1 else ""
            raise type(error)(f"{label}{error}{none}") from None
    return text


def _one(text: str, edit: Edit, name: str) -> str:
    old, new = (words.replace("\r\n", "\n") for words in (edit.old, edit.new))
    if not old:
        raise ToolError("old is empty; use write_file for a whole file, or give the line before the place")
    if old == new:
        raise ToolError("old and new are the same text")
    flat = flatten(text)
    spots = _spots(flat.text, old)
    if not spots:
        raise NotApplied(no_match_message(flat.text, old, new, name))
    if len(spots) == 1 and not edit.everywhere and (again := flat.text.find(old, spots[0] + 1)) >= 0:
        spots.append(again)  # overlapping places count as two
    if len(spots) > 1 and not edit.everywhere:
        lines = [str(flat.text.count("\n", 0, spot) + 1) for spot in spots[:LISTED]]
        more = ", …" if len(spots) > LISTED else ""
        raise NotApplied(
            f"old occurs {len(spots)} times in {name}: lines {', '.join(lines)}{more}; "
            "add lines around it until it is one place, or set all"
        )
    parts, done = [], 0
    for spot in spots:
        start, end = flat.origin(spot), flat.origin(spot + len(old))
        parts += [text[done:start], _styled(text[start:end], new, _end_near(text, start))]
        done = end
    return "".join([*parts, text[done:]])


def _spots(text: str, old: str) -> list[int]:
    """The positions of ``old`` from left to right, none overlapping."""
    spots: list[int] = []
    at = text.find(old)
    while at >= 0:
        spots.append(at)
        at = text.find(old, at + len(old))
    return spots


def _end_near(text: str, at: int) -> str:
    """The line end at a position: that of its line, else of the line before, else the file's usual one."""
    feed = text.find("\n", at)
    if feed < 0:
        feed = text.rfind("\n", 0, at)
    if feed < 0:
        return line_end(text)
    return "\r\n" if text[max(0, feed - 1) : feed] == "\r" else "\n"


def _styled(was: str, new: str, end: str) -> str:
    """``new`` with the line ends of ``was``: a kept line has its own, an added one that of the line before it."""
    before, after = split(was), new.split("\n")
    bare = [line.rstrip("\r\n") for line in before]
    own = [line[len(text) :] for line, text in zip(before, bare, strict=True)]
    ends: list[str] = []
    at = 0
    for hunk in [*hunks(bare, after), Hunk(len(bare), len(bare), len(after), len(after))]:
        ends += own[at : hunk.a]
        ends += [own[min(hunk.a + i, hunk.b - 1)] if hunk.b else "" for i in range(hunk.d - hunk.c)]
        at = hunk.b
    closed = [*(tail or end for tail in ends[: len(after) - 1]), ""]
    return "".join(line + tail for line, tail in zip(after, closed, strict=True))
