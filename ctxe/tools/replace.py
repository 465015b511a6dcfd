"""Exact search and replace in a text: nothing is guessed, and no other character changes."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

from ctxe.domain.errors import NotApplied, ToolError
from ctxe.domain.value import dataclass
from ctxe.tools.diff import Hunk, hunks
from ctxe.tools.nearest import no_match_message
from ctxe.tools.text import line_end, split

MOST_LISTED = 12
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

    def origin(self, position: int) -> int:
        r"""The original position of the character at ``position``; for a ``\r\n`` that of its ``\r``."""
        return position + bisect_left(self.pairs, position)


def flatten(text: str) -> Flat:
    r"""Turn all line ends into ``\n``; a ``\r`` alone counts as one only in a text without any ``\n``."""
    if "\r" not in text:
        return Flat(text, ())
    if "\n" not in text:
        return Flat(text.replace("\r", "\n"), ())
    pairs: list[int] = []
    position = 0
    for piece in text.split("\r\n")[:-1]:
        position += len(piece)
        pairs.append(position)
        position += 1
    return Flat(text.replace("\r\n", "\n"), tuple(pairs))


def apply(text: str, edits: Sequence[Edit], name: str) -> str:
    """The text after all edits, applied one after another.

    Raises NotApplied, with line numbers, for an ``old`` that is missing or that occurs more than once without
    ``everywhere``, and ToolError for an edit that makes no sense.
    """
    for number, edit in enumerate(edits, 1):
        label = f"edit {number} of {len(edits)}: " if len(edits) > 1 else ""
        try:
            text = _apply_one(text, edit, name)
        except ToolError as error:
            nothing_changed = "; nothing was changed" if len(edits) > 1 else ""
            raise type(error)(f"{label}{error}{nothing_changed}") from None
    return text


def _apply_one(text: str, edit: Edit, name: str) -> str:
    old, new = (part.replace("\r\n", "\n") for part in (edit.old, edit.new))
    if not old:
        raise ToolError("old is empty; use write_file for a whole file, or give the line before the place")
    if old == new:
        raise ToolError("old and new are the same text")
    flat = flatten(text)
    places = _positions(flat.text, old)
    if not places:
        raise NotApplied(no_match_message(flat.text, old, new, name))
    if len(places) == 1 and not edit.everywhere and (overlapping := flat.text.find(old, places[0] + 1)) >= 0:
        places.append(overlapping)  # overlapping places count as two
    if len(places) > 1 and not edit.everywhere:
        lines = [str(flat.text.count("\n", 0, place) + 1) for place in places[:MOST_LISTED]]
        more = ", …" if len(places) > MOST_LISTED else ""
        raise NotApplied(
            f"old occurs {len(places)} times in {name}: lines {', '.join(lines)}{more}; "
            "add lines around it until it is one place, or set all"
        )
    parts, copied = [], 0
    for place in places:
        start, end = flat.origin(place), flat.origin(place + len(old))
        parts += [text[copied:start], _with_line_ends(text[start:end], new, _end_near(text, start))]
        copied = end
    return "".join([*parts, text[copied:]])


def _positions(text: str, old: str) -> list[int]:
    """The positions of ``old`` from left to right, none overlapping."""
    positions: list[int] = []
    position = text.find(old)
    while position >= 0:
        positions.append(position)
        position = text.find(old, position + len(old))
    return positions


def _end_near(text: str, position: int) -> str:
    """The line end at a position: that of its line, else of the line before, else the file's usual one."""
    newline = text.find("\n", position)
    if newline < 0:
        newline = text.rfind("\n", 0, position)
    if newline < 0:
        return line_end(text)
    return "\r\n" if text[max(0, newline - 1) : newline] == "\r" else "\n"


def _with_line_ends(old: str, new: str, end: str) -> str:
    """``new`` with the line ends of ``old``: a kept line has its own, an added one that of the line before it."""
    before, after = split(old), new.split("\n")
    bare = [line.rstrip("\r\n") for line in before]
    own_ends = [line[len(text) :] for line, text in zip(before, bare, strict=True)]
    ends: list[str] = []
    row = 0
    for hunk in [*hunks(bare, after), Hunk(len(bare), len(bare), len(after), len(after))]:
        ends += own_ends[row : hunk.a]
        ends += [own_ends[min(hunk.a + offset, hunk.b - 1)] if hunk.b else "" for offset in range(hunk.d - hunk.c)]
        row = hunk.b
    all_ends = [*(tail or end for tail in ends[: len(after) - 1]), ""]
    return "".join(line + tail for line, tail in zip(after, all_ends, strict=True))
