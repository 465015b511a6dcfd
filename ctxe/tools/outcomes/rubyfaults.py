"""Reading the first error in the output of Ruby: RSpec, minitest, rake, the interpreter."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise, takewhile

from ctxe.tools.outcomes.fault import EXCEPTION, PATH, Fault, first, place_of

_EXAMPLE_AT = re.compile(rf"^\s*# {PATH}:(?P<line>\d+)")
_CLASS = re.compile(r"^(?P<kind>[A-Z]\w*(?:::\w+)*):$")
_REMARK = re.compile(r"^(?:Diff:|Shared Example Group:|\(compared using|# )")
_NUMBERED = re.compile(r"^\s*\d+\) (?P<kind>Failure|Error):$")
_BARE = re.compile(r"^(?P<kind>Failure|Error):$")
_TITLE = re.compile(rf"^(?P<id>\S+?|\S+#.+?)(?: \[{PATH}:(?P<line>\d+)\])?:?$")
_FRAME = re.compile(rf"^\s*(?:from )?{PATH}:(?P<line>\d+):in ")
_RAISED = re.compile(r"^(?P<place>\S+:\d+|<internal:\S+):in [`'].*?': (?P<message>.+) \((?P<kind>[A-Z][\w:]*)\)$")
_UNPARSED = re.compile(rf"^{PATH}:(?P<line>\d+): (?P<message>.+) \((?P<kind>SyntaxError)\)$")
_POINTED = re.compile(r"^\s*\|\s+\^[\^~]* (?P<message>.+)$")


def rspec(lines: list[str]) -> Fault | None:
    """RSpec: the code of the failed example, with the error and then its place below."""
    row = next((index for index, line in enumerate(lines) if line.lstrip().startswith("Failure/Error:")), None)
    if row is None:
        return None
    rows = list(takewhile(lambda line: not _EXAMPLE_AT.match(line), lines[row + 1 : row + 60]))
    code = lines[row].partition("Failure/Error:")[2].strip()
    if not code:
        rows = rows[next((index for index, line in enumerate(rows) if not line), 0) :]
    message_lines = _paragraph(rows) or [code]
    places = [match for line in lines[row : row + 60] if (match := _EXAMPLE_AT.match(line))]
    place = next((match for match in places if match["file"].startswith("./")), places[0] if places else None)
    if (raised := _CLASS.match(message_lines[0])) and len(message_lines) > 1:
        return Fault(raised["kind"], " ".join(message_lines[1:]), *place_of(place))
    return Fault("ExpectationNotMetError", " ".join(message_lines), *place_of(place))


def _paragraph(rows: list[str]) -> list[str]:
    """The first paragraph, without RSpec's own remarks."""
    start = next((index for index, row in enumerate(rows) if row), len(rows))
    return list(takewhile(lambda row: row and not _REMARK.match(row), (row.strip() for row in rows[start:])))


def titled(lines: list[str]) -> Fault | None:
    """Minitest and libgit2's clar: a failure (numbered except in Rails), its name, often its place, and the error."""
    row = next((index for index, line in enumerate(lines[:-1]) if _heads(line, lines[index + 1])), None)
    if row is None or not (title := _TITLE.match(lines[row + 1])):
        return None
    message_lines = [line.strip() for line in takewhile(str.strip, lines[row + 2 : row + 5])]
    raised = EXCEPTION.match(message_lines[0].replace("::", ".")) if message_lines and "Error:" in lines[row] else None
    place = title if title["file"] else first(_FRAME.match, lines[row : row + 12])
    if raised and raised["message"]:
        return Fault(raised["kind"], message_lines[0].partition(": ")[2], *place_of(place))
    return Fault("AssertionError", " ".join(message_lines), *place_of(place))


def titles(lines: Sequence[str]) -> Iterable[str]:
    """The names of all tests that failed, as minitest and clar print them."""
    for line, below in pairwise(line[:2000] for line in lines):
        if _heads(line, below) and (title := _TITLE.match(below)):
            yield title["id"]


def _heads(line: str, below: str) -> bool:
    return bool(_NUMBERED.match(line) or (_BARE.match(line) and "#" in below and _TITLE.match(below)))


def raised(lines: list[str]) -> Fault | None:
    """An uncaught exception with the first frame of the project, or a syntax error."""
    for row, line in enumerate(lines):
        if match := _RAISED.match(line):
            return Fault(match["kind"], match["message"], *_own_place(lines[row : row + 40]))
        if match := _UNPARSED.match(line):
            detail = first(_POINTED.match, lines[row : row + 30]) or match
            return Fault(match["kind"], detail["message"], *place_of(match))
    return None


def rake(lines: list[str]) -> Fault | None:
    """rake: the last cause it names, else its first message."""
    row = next((index for index, line in enumerate(lines) if line == "rake aborted!"), None)
    if row is None:
        return None
    causes = [index for index, line in enumerate(lines) if index > row and line.startswith("Caused by:")]
    start = (causes[-1] if causes else row) + 1
    first_line = next((line for line in lines[start:] if line.strip()), "")
    match = re.match(r"(?P<kind>[A-Z]\w*(?:::\w+)*): (?P<message>.+?)(?: \((?P=kind)\))?$", first_line)
    kind, message = (match["kind"], match["message"]) if match else ("rake", first_line)
    return Fault(kind, message, *_own_place(lines[start : start + 12]))


def _own_place(lines: list[str]) -> tuple[str, int]:
    return place_of(first(_FRAME.match, (line for line in lines if "/gems/" not in line)))
