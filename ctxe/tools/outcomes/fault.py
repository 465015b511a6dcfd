"""An error as its program told it, and readers of errors that stand in a line or have their place near by."""

from __future__ import annotations

import re
from collections.abc import Callable

from ctxe.domain.value import dataclass

PATH = r"(?P<file>(?:[A-Za-z]:)?[^\s:()'\"<>|]+\.\w+)"
RAISED = re.compile(r"^(?P<kind>(?:[A-Za-z_]\w*\.)*[A-Z]\w*)(?:: (?P<message>.*))?$")
"""An exception as Python and JavaScript print it."""
NEAR = 12
"""Lines around an error in which its place is looked for."""


@dataclass(frozen=True, slots=True)
class Fault:
    """An error as its program told it; ``message`` has at most 200 characters, ``line`` 0 means unknown."""

    kind: str
    message: str
    file: str = ""
    line: int = 0


Reader = Callable[[list[str]], Fault | None]


def by_line(pattern: str) -> Reader:
    """A reader of the first line that fits a pattern with the groups message, and maybe kind, file and line."""
    compiled = re.compile(pattern)

    def read(lines: list[str]) -> Fault | None:
        found = next((m for line in lines if (m := compiled.search(line))), None)
        return None if found is None else _from(found)

    return read


def _from(found: re.Match[str]) -> Fault:
    parts = found.groupdict()
    kind = parts.get("kind") or parts.get("rule") or "error"
    return Fault(kind, parts.get("message") or "", parts.get("file") or "", int(parts.get("line") or 0))


def placed(head: str, place: str, kind: str) -> Reader:
    """A reader of a headline whose place stands in a line near it (rustc, ruff, panics, node)."""
    headline, spot = re.compile(head), re.compile(place)

    def read(lines: list[str]) -> Fault | None:
        for i, line in enumerate(lines):
            if said := headline.search(line):
                at = next((m for near in lines[i : i + NEAR] if (m := spot.search(near))), None)
                parts = said.groupdict()
                file, number = (at["file"], int(at["line"])) if at else ("", 0)
                return Fault(parts.get("kind") or kind, parts.get("message") or "", file, number)
        return None

    return read
