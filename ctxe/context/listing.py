"""Brings any tool's numbered listings to the form of ctxe's own reads: no padding, no numbers on empty lines.

Right-aligned numbers cost two tokens per line and carry nothing: 8 to 13 % of all that is sent where a tool prints like
``cat -n`` (replay benchmark). The separator after the number tells a listing from data.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ctxe.domain.pattern import pattern

LEAST = 4
"""Fewest lines with consecutive numbers that count as a listing."""

_ROW = pattern(r"( *)([0-9]{1,7})(→|\t)")


def strip_padding(line: str) -> str:
    """The line without the padding before its number; a line without a number unchanged."""
    return line.lstrip(" ") if line[:1] == " " and _ROW.match(line) else line


def strip_listings(text: str) -> str:
    """The text with padding and the numbers of empty lines removed from its listings; the rest unchanged."""
    if "→" not in text and "\t" not in text:
        return text
    out: list[str] = []
    run: list[str] = []
    sign, width, number = "", 0, 0
    for line in text.split("\n"):
        row = _ROW.match(line)
        if row is None or (row[3], int(row[2])) != (sign, number + 1) or (row[1] and row.end(2) != width):
            out += _stripped(run)
            run = []
        if row is None:
            out.append(line)
        else:
            run.append(line)
            sign, width, number = row[3], row.end(2), int(row[2])
    return "\n".join([*out, *_stripped(run)])


def _stripped(run: Sequence[str]) -> Iterator[str]:
    """The rows of a listing without padding; a run shorter than LEAST unchanged."""
    for line in run:
        row = _ROW.match(line) if len(run) >= LEAST else None
        yield line if row is None else line[row.end(1) :] if line[row.end() :].strip() else ""
