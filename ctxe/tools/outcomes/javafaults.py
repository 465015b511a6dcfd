"""Reading the first error in the output of Java's tools: javac, Maven, Gradle, the virtual machine."""

from __future__ import annotations

import re
from itertools import takewhile

from ctxe.tools.outcomes.fault import PATH, Fault, first, place_of

_FAILED = re.compile(r"^\[ERROR\] (?!\s*Tests run:)\S.* <<< (?:FAILURE|ERROR)!$")
_CLASS = r"(?:[a-z]\w*\.)+[A-Z][\w$]*"
_RAISED = re.compile(
    rf'^\s*(?:Exception in thread ".*?" )?(?P<kind>{_CLASS}(?:Error|Exception)):(?: (?P<message>.+))?$'
)
_WITHOUT_MESSAGE = re.compile(
    rf"^\s*(?:Exception in thread \".*?\" )?(?P<kind>{_CLASS}(?:Error|Exception))"
    r"(?: at (?P<file>\w+\.\w+):(?P<line>\d+))?$"
)
_NOT_FOREIGN = r"(?!(?:app//)?(?:org\.(?:junit|opentest4j|assertj|mockito|hamcrest)|java(?:\.base)?|jdk|sun)[./])"
_FRAME = re.compile(rf"^\s*at {_NOT_FOREIGN}\S+\((?P<file>\w+\.\w+):(?P<line>\d+)\)")
_ANY_FRAME = re.compile(r"^\s*at \S+\(.*\)$")
_COMPILED = re.compile(
    rf"^(?:\[ERROR\] )?{PATH}:(?:(?P<line>\d+): error:|\[(?P<row>\d+),\d+\]) (?P<message>cannot find symbol)$"
)
_SYMBOL = re.compile(r"^(?:\[ERROR\])?\s+symbol:\s+(?P<symbol>.+)$")
_WHERE = re.compile(r"^(?:Build|Settings) file '(?P<file>[^']+)' line: (?P<line>\d+)$")
_TASK_REMARK = re.compile(
    r"^(?:> )?(?:Execution failed for task|There were failing tests|A problem occurred|Could not determine)"
)
_MESSAGE_LINES = 12
"""Lines of an assertion's message that are read."""


def surefire(lines: list[str]) -> Fault | None:
    """Maven: the exception of the first failed test, with the first frame of the project."""
    row = next((index for index, line in enumerate(lines) if _FAILED.match(line)), None)
    return None if row is None else _exception(lines[row + 1 : row + 80])


def thrown(lines: list[str]) -> Fault | None:
    """The first exception with its frames below, or with its place alone, as Gradle prints it."""
    for row, line in enumerate(lines):
        if (silent := _WITHOUT_MESSAGE.match(line)) and silent["file"]:
            return Fault(silent["kind"], "", *place_of(silent))
        if _RAISED.match(line) or (silent and any(map(_ANY_FRAME.match, lines[row + 1 : row + 2]))):
            return _exception(lines[row : row + 80])
    return None


def _exception(rows: list[str]) -> Fault | None:
    message_lines = [row.strip() for row in takewhile(lambda row: not _ANY_FRAME.match(row), rows[:_MESSAGE_LINES])]
    if not message_lines:
        return None
    place = place_of(first(_FRAME.match, rows))
    if match := _RAISED.match(message_lines[0]) or _WITHOUT_MESSAGE.match(message_lines[0]):
        words = [match.groupdict().get("message") or "", *message_lines[1:]]
        return Fault(match["kind"], " ".join(filter(None, words)), *place)
    return Fault("AssertionError", " ".join(filter(None, message_lines)), *place)


def symbol(lines: list[str]) -> Fault | None:
    """javac: an unknown symbol, which is named some lines below the place."""
    row = next((index for index, line in enumerate(lines) if _COMPILED.match(line)), None)
    if row is None or not (match := _COMPILED.match(lines[row])):
        return None
    symbol_line = first(_SYMBOL.match, lines[row + 1 : row + 5])
    words = f"{match['message']}: {symbol_line['symbol']}" if symbol_line else match["message"]
    return Fault("error", words, match["file"], int(match["line"] or match["row"]))


def gradle(lines: list[str]) -> Fault | None:
    """Gradle: the innermost cause of a failed build."""
    row = next((index for index, line in enumerate(lines) if line == "* What went wrong:"), None)
    if row is None:
        return None
    lines_below = list(takewhile(str.strip, lines[row + 1 : row + 12]))
    lines_below = [
        line.strip().removeprefix("> ")
        for line in lines_below
        if not line.strip().startswith(("Required by", "project "))
    ]
    words = [line for line in lines_below if not _TASK_REMARK.match(line)] or lines_below
    return Fault("error", words[-1], *place_of(first(_WHERE.match, lines[:row]))) if words else None
