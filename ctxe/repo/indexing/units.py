"""Cutting a file into units, which are scored one by one: a unit for each larger definition, windows between them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ctxe.repo.indexing.definition import Definition

WINDOW = 40
"""Lines of a window, which covers text outside all definitions."""
LONG_FUNCTION = 80
"""Lines of a function above which the functions nested in it are units of their own."""
MOST_UNITS = 2000
_BODIES = frozenset(("function", "method", "constructor"))


class Unit(NamedTuple):
    """Lines ``first`` to ``last`` (from 1) without those of units nested inside.

    ``definition`` is an index into the file's definitions, -1 for a window.
    """

    definition: int
    first: int
    last: int


def cut(definitions: Sequence[Definition], lines: int) -> tuple[list[Unit], list[int]]:
    """Units of a file in the order of their first lines, and for each line (from 0) the number of its unit.

    Every line belongs to exactly one unit.
    """
    units: list[Unit] = []
    owner = [-1] * lines
    open_bodies: list[tuple[int, int]] = []
    for place, definition in enumerate(definitions):
        while open_bodies and open_bodies[-1][0] < definition.first:
            open_bodies.pop()
        length = definition.last - definition.first + 1
        inside_short = bool(open_bodies) and open_bodies[-1][1] <= LONG_FUNCTION
        if length < 3 or inside_short or len(units) >= MOST_UNITS or definition.first > lines:
            continue
        if definition.kind in _BODIES:
            open_bodies.append((definition.last, length))
        last = min(definition.last, lines)
        owner[definition.first - 1 : last] = [len(units)] * (last - definition.first + 1)
        units.append(Unit(place, definition.first, last))
    return _with_windows(units, owner)


def _with_windows(units: list[Unit], owner: list[int]) -> tuple[list[Unit], list[int]]:
    """The same, with windows of at most 40 lines for the lines that have no unit yet."""
    begin, number = -WINDOW, len(units)
    for start, end in _gaps(units, len(owner)):
        row = start
        while row < end:
            if row - begin >= WINDOW and len(units) < 2 * MOST_UNITS:
                begin, number = row, len(units)
                units.append(Unit(-1, row + 1, row + 1))
            stop = min(end, begin + WINDOW) if row - begin < WINDOW else end
            owner[row:stop] = [number] * (stop - row)
            units[number] = Unit(-1, units[number].first, stop)
            row = stop
    return units, owner


def _gaps(units: Iterable[Unit], lines: int) -> list[tuple[int, int]]:
    """(start, end) of the stretches of rows (from 0, end excluded) that are in no unit."""
    gaps = []
    covered = 0
    for unit in units:
        if unit.first - 1 > covered:
            gaps.append((covered, unit.first - 1))
        covered = max(covered, unit.last)
    return [*gaps, (covered, lines)]
