"""Showing part of a file: its outline of signatures, and blocks of lines that make sense by themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ctxe.domain.pattern import pattern
from ctxe.domain.value import dataclass, replace
from ctxe.repo.indexing.definition import Definition
from ctxe.repo.indexing.units import Unit

LONG_BLOCK = 60
"""Lines above which a unit is split between the statements of its body."""
PIECE = 30
"""Most lines of a piece of a long unit, unless a single statement is longer."""
LONGEST_SIGNATURE = 6
SHORTEST_LICENCE = 10
"""Fewest lines of a licence that is worth leaving out: a shorter one costs less than a file that is not whole."""
_HIDDEN = frozenset(("field", "prototype"))
_LICENCE = pattern(
    r"\bcopyright\b|all rights reserved|spdx-license|licen[cs]ed under|free software|redistribut|permission is hereby",
    re.IGNORECASE,
)
_CLOSING = {"/*": "*/", "<!--": "-->", "(*": "*)", "{-": "-}"}
_COMMENT = pattern(
    r"//|--|;|%|dnl |#(?!!?\[|\s*(?:include|define|undef|if|ifdef|ifndef|el|endif|pragma|error|import|line)\b)"
)
_CONTINUES = pattern(
    r"\s*(?:[)\]}]|(?:else|elif|except|finally|catch|case|default|rescue|ensure|end|when)\b|#\s*e(?:lse|lif|ndif))"
)


@dataclass(frozen=True, slots=True)
class Block:
    """Lines ``first`` to ``last`` (from 1) of unit number ``unit``, which make sense alone."""

    unit: int
    first: int
    last: int


def signature(definition: Definition, lines: Sequence[str]) -> tuple[int, int]:
    """First and last line of a definition's signature, without decorators and comments; at most six lines."""
    first = definition.first
    for row in range(definition.first, min(definition.head, len(lines)) + 1):
        if _has_word(lines[row - 1], definition.name):
            first = row
            if not lines[row - 1].lstrip().startswith(("#", "//", "*", "/*", "@", '"')):
                break
    return first, max(first, min(definition.head, first + LONGEST_SIGNATURE - 1, len(lines)))


def _has_word(line: str, name: str) -> bool:
    """Whether a line holds a name as a whole word."""
    place = line.find(name)
    while place != -1:
        neighbours = line[place - 1 : place] + line[place + len(name) : place + len(name) + 1]
        if not any(letter.isalnum() or letter == "_" for letter in neighbours):
            return True
        place = line.find(name, place + 1)
    return False


def outline(definitions: Sequence[Definition], lines: Sequence[str]) -> list[tuple[int, int]]:
    """Line ranges of the signatures for an outline, in order, without definitions nested in a function."""
    ranges: list[tuple[int, int]] = []
    hidden = 0
    for definition in definitions:
        if definition.first <= hidden or definition.kind in _HIDDEN or definition.first > len(lines):
            continue
        first, last = signature(definition, lines)
        if definition.kind in ("function", "method", "constructor"):
            hidden = definition.last
        if ranges and first <= ranges[-1][1]:
            continue
        ranges.append((first, last if definition.kind != "constant" else first))
    return ranges


def blocks(
    units: Sequence[Unit], owner: Sequence[int], definitions: Sequence[Definition], lines: Sequence[str]
) -> list[Block]:
    """The blocks of a file, each line in exactly one: the lines of a unit, a long unit split between statements.

    Blank lines always go to the block before them, whichever unit they are in. ``owner`` is the unit of each line.
    """
    result: list[Block] = []
    for number, begin, last in _runs(owner):
        first = begin
        while result and first <= last and not lines[first - 1].strip():
            first += 1
        if first > begin:
            result[-1] = replace(result[-1], last=first - 1)
        if first <= last <= first + LONG_BLOCK - 1:
            result.append(Block(number, first, last))
        elif first <= last:
            place = units[number].definition
            head = definitions[place].head if place >= 0 and definitions[place].first == first else first - 1
            result.extend(Block(number, *piece) for piece in _pieces(lines, first, last, head))
    return result


def licence_rows(lines: Sequence[str]) -> range:
    """The lines (from 1) of a file's leading comment but its first if that is a long licence; else none."""
    end = _comment_end(lines)
    is_licence = end >= SHORTEST_LICENCE and _LICENCE.search("\n".join(lines[:end]))
    return range(2, end + 1) if is_licence else range(0)


def _comment_end(lines: Sequence[str]) -> int:
    """The last line (from 1) of the comment at the top of a file; 0 when it begins with something else."""
    closing = ""
    for row, line in enumerate(map(str.strip, lines), start=1):
        if closing:
            if closing in line:
                return row
            continue
        opening = next((mark for mark in _CLOSING if line.startswith(mark)), "")
        if opening and _CLOSING[opening] not in line[len(opening) :]:
            closing = _CLOSING[opening]
        elif not opening and not _COMMENT.match(line):
            return row - 1
    return 0


def _runs(owner: Sequence[int]) -> Iterator[tuple[int, int, int]]:
    """(unit, first, last) of every stretch of lines with the same owner."""
    begin = 0
    for row in range(1, len(owner) + 1):
        if row == len(owner) or owner[row] != owner[begin]:
            yield owner[begin], begin + 1, row
            begin = row


def _pieces(lines: Sequence[str], first: int, last: int, head: int) -> Iterator[tuple[int, int]]:
    """A long stretch, split before statements of its outermost level; the signature stays with the first of them."""
    body = [row for row in range(max(first, head + 1), last + 1) if lines[row - 1].strip()]
    level = min((_indent(lines[row - 1]) for row in body[: max(1, len(body) - 1)]), default=0)
    begin = first
    cut = 0
    for row in body:
        line = lines[row - 1]
        if _indent(line) <= level and not _CONTINUES.match(line) and row > max(begin, head + 1):
            if row - begin >= PIECE and cut > begin:
                yield begin, cut - 1
                begin = cut
            if row - begin >= PIECE // 2 or not lines[row - 2].strip():
                cut = row
    if cut > begin and last - begin + 1 > PIECE + PIECE // 2:
        yield begin, cut - 1
        begin = cut
    yield begin, last


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
