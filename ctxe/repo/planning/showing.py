"""Rendering one ranked file whole, by chosen lines or by signatures, with the tokens it costs."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from ctxe.domain.section import Tier
from ctxe.domain.value import dataclass, field
from ctxe.repo.indexing.line_tokens import estimate
from ctxe.repo.indexing.store import Details
from ctxe.repo.planning.outline import licence_rows, outline
from ctxe.repo.planning.ranking import Ranking

MARKER = 10
"""An upper bound of the tokens of a line like ``[lines 3-9]``."""
LONGEST_OUTLINE = 350
"""Tokens of one outline when there is room."""

Ranges = list[tuple[int, int]]


@dataclass(slots=True)
class ShownFile:
    """A file as it is shown. ``tokens`` is an upper bound for ``text``; ``ranges`` are the lines shown, from 1."""

    number: int
    tier: Tier
    tokens: int
    text: str
    ranges: Ranges = field(default_factory=list)


@dataclass(slots=True)
class OpenFile:
    """A file that is being packed: its lines with their tokens, and the lines (from 1) chosen so far.

    The lines in ``licence`` are never shown: no task needs them, and the line above them, the file's first, tells that
    there is a licence.
    """

    number: int
    path: str
    lines: list[str]
    costs: Sequence[int]
    inside: Details
    chosen: set[int] = field(default_factory=set)
    licence: range = range(0)

    def visible(self, first: int, last: int) -> list[int]:
        """The lines from ``first`` to ``last`` that may be shown."""
        return [row for row in range(first, last + 1) if row not in self.licence]


def open_file(ranking: Ranking, number: int, text: str | None) -> OpenFile | None:
    """A ranked file with its text and no line chosen yet; None when the index has no details of it."""
    evidence = ranking.evidence
    details = evidence.details.get(number)
    if details is None or not details.lengths or text is None:
        return None
    path = evidence.file(number).path
    lines = text.split("\n")
    # estimated when the file was not counted yet, or has changed since it was scanned
    costs = details.line_tokens if len(lines) == len(details.line_tokens) else estimate(lines)
    return OpenFile(number, path, lines, costs, details, licence=licence_rows(lines))


def header(path: str) -> int:
    """An upper bound of the tokens that name the file and close its block."""
    return sum(estimate([path])) + 2 * MARKER


def ranges_of(lines: Iterable[int]) -> Ranges:
    """Line numbers as sorted ranges (first, last)."""
    ranges: Ranges = []
    for line in sorted(lines):
        if ranges and ranges[-1][1] == line - 1:
            ranges[-1] = (ranges[-1][0], line)
        else:
            ranges.append((line, line))
    return ranges


def as_shown(file: OpenFile) -> ShownFile:
    """The file with its chosen lines."""
    return in_lines(file.number, file.path, file.lines, file.costs, file.chosen)


def in_lines(number: int, path: str, lines: Sequence[str], costs: Sequence[int], chosen: Collection[int]) -> ShownFile:
    """A file shown by its ``chosen`` lines (from 1), or whole when all are chosen."""
    count = len(lines) - (lines[-1:] == [""])  # nothing follows the last newline
    shown_lines = [row for row in chosen if row <= count]
    ranges, cost = ranges_of(shown_lines), sum(costs[row - 1] for row in shown_lines)
    if len(shown_lines) >= count:
        text = f'<file path="{path}">\n' + "\n".join(lines).rstrip("\n") + "\n</file>"
        return ShownFile(number, "full", cost + header(path), text, [(1, count)])
    parts = [f'<file path="{path}" lines="{count}">']
    for first, last in ranges:
        parts += [f"[lines {first}-{last}]", *lines[first - 1 : last]]
    text = "\n".join([*parts, "</file>"])
    return ShownFile(number, "region", cost + header(path) + MARKER * len(ranges), text, ranges)


def outlined(file: OpenFile, most: int = LONGEST_OUTLINE) -> ShownFile | None:
    """The signatures of a file with their line numbers, up to ``most`` tokens; None when there are none."""
    parts = [f'<outline path="{file.path}">']
    tokens = header(file.path)
    for first, last in outline(file.inside.definitions, file.lines):
        price = sum(file.costs[first - 1 : last]) + 4
        if tokens + price > most:
            break
        tokens += price
        parts.append(f"{first}: " + "\n".join(file.lines[first - 1 : last]))
    if len(parts) == 1:
        return None
    return ShownFile(file.number, "outline", tokens, "\n".join([*parts, "</outline>"]))
