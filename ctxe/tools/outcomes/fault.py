"""An error found in a program's output, and readers for errors in one line or with their place in a nearby line."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from ctxe.domain.value import dataclass

PATH = r"(?P<file>(?:[A-Za-z]:)?[^\s:()'\"<>|]+\.\w+)"
EXCEPTION = re.compile(r"^(?P<kind>(?:[A-Za-z_]\w*\.)*[A-Z]\w*)(?:: (?P<message>.*))?$")
"""An exception as Python and JavaScript print it."""
PLACE_LINES = 12
"""Lines from an error on in which its place is looked for."""


@dataclass(frozen=True, slots=True)
class Fault:
    """An error found in a program's output. An empty ``file`` and ``line`` 0 mean that its place is unknown."""

    kind: str
    message: str
    file: str = ""
    line: int = 0


Reader = Callable[[list[str]], Fault | None]


def first(search: Callable[[str], re.Match[str] | None], lines: Iterable[str]) -> re.Match[str] | None:
    """The match of the first line that ``search`` finds one in; None when no line has one."""
    return next((match for line in lines if (match := search(line))), None)


def place_of(match: re.Match[str] | None) -> tuple[str, int]:
    """(file, line) of a match with these groups; ("", 0) for no match."""
    return (match["file"], int(match["line"])) if match else ("", 0)


def by_line(pattern: str) -> Reader:
    """A reader of the first line that matches a pattern with the groups message and, optionally, kind, file, line."""
    compiled = re.compile(pattern)

    def read(lines: list[str]) -> Fault | None:
        match = first(compiled.search, lines)
        return None if match is None else _from(match)

    return read


def _from(match: re.Match[str]) -> Fault:
    parts = match.groupdict()
    kind = parts.get("kind") or parts.get("rule") or "error"
    return Fault(kind, parts.get("message") or "", parts.get("file") or "", int(parts.get("line") or 0))


def placed(head: str, place: str, kind: str) -> Reader:
    """A reader of a headline whose place is in one of the next lines (rustc, ruff, panics, node)."""
    headline, place_pattern = re.compile(head), re.compile(place)

    def read(lines: list[str]) -> Fault | None:
        for row, line in enumerate(lines):
            if match := headline.search(line):
                parts = match.groupdict()
                file_and_line = place_of(first(place_pattern.search, lines[row : row + PLACE_LINES]))
                return Fault(parts.get("kind") or kind, parts.get("message") or "", *file_and_line)
        return None

    return read
