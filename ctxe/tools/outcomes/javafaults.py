"""Reading the first error in the output of Java's tools: javac, Maven, Gradle, the virtual machine."""

from __future__ import annotations

import re
from itertools import takewhile

from ctxe.tools.outcomes.fault import PATH, Fault, first, place_of

_BAD = re.compile(r"^\[ERROR\] (?!\s*Tests run:)\S.* <<< (?:FAILURE|ERROR)!$")
_CLASS = r"(?:[a-z]\w*\.)+[A-Z][\w$]*"
_RAISED = re.compile(
    rf'^\s*(?:Exception in thread ".*?" )?(?P<kind>{_CLASS}(?:Error|Exception)):(?: (?P<message>.+))?$'
)
_SILENT = re.compile(
    rf"^\s*(?:Exception in thread \".*?\" )?(?P<kind>{_CLASS}(?:Error|Exception))"
    r"(?: at (?P<file>\w+\.\w+):(?P<line>\d+))?$"
)
_THEIRS = r"(?!(?:app//)?(?:org\.(?:junit|opentest4j|assertj|mockito|hamcrest)|java(?:\.base)?|jdk|sun)[./])"
_FRAME = re.compile(rf"^\s*at {_THEIRS}\S+\((?P<file>\w+\.\w+):(?P<line>\d+)\)")
_ANY_FRAME = re.compile(r"^\s*at \S+\(.*\)$")
_COMPILED = re.compile(
    rf"^(?:\[ERROR\] )?{PATH}:(?:(?P<line>\d+): error:|\[(?P<row>\d+),\d+\]) (?P<message>cannot find symbol)$"
)
_SYMBOL = re.compile(r"^(?:\[ERROR\])?\s+symbol:\s+(?P<symbol>.+)$")
_WHERE = re.compile(r"^(?:Build|Settings) file '(?P<file>[^']+)' line: (?P<line>\d+)$")
_TASK_ASIDE = re.compile(
    r"^(?:> )?(?:Execution failed for task|There were failing tests|A problem occurred|Could not determine)"
)
_TALL = 12
"""Lines of an assertion's words that are looked at."""


def surefire(lines: list[str]) -> Fault | None:
    """Maven: the exception of the first failed test, with the first frame of the project."""
    at = next((i for i, line in enumerate(lines) if _BAD.match(line)), None)
    return None if at is None else _exception(lines[at + 1 : at + 80])


def thrown(lines: list[str]) -> Fault | None:
    """The first exception with its frames below, or with its place alone, as Gradle prints it."""
    for i, line in enumerate(lines):
        if (silent := _SILENT.match(line)) and silent["file"]:
            return Fault(silent["kind"], "", *place_of(silent))
        if _RAISED.match(line) or (silent and any(map(_ANY_FRAME.match, lines[i + 1 : i + 2]))):
            return _exception(lines[i : i + 80])
    return None


def _exception(rows: list[str]) -> Fault | None:
    said = [row.strip() for row in takewhile(lambda row: not _ANY_FRAME.match(row), rows[:_TALL])]
    if not said:
        return None
    place = place_of(first(_FRAME.match, rows))
    if found := _RAISED.match(said[0]) or _SILENT.match(said[0]):
        words = [found.groupdict().get("message") or "", *said[1:]]
        return Fault(found["kind"], " ".join(filter(None, words)), *place)
    return Fault("AssertionError", " ".join(filter(None, said)), *place)


def symbol(lines: list[str]) -> Fault | None:
    """javac: an unknown symbol, which is named some lines below the place."""
    at = next((i for i, line in enumerate(lines) if _COMPILED.match(line)), None)
    if at is None or not (found := _COMPILED.match(lines[at])):
        return None
    named = first(_SYMBOL.match, lines[at + 1 : at + 5])
    words = f"{found['message']}: {named['symbol']}" if named else found["message"]
    return Fault("error", words, found["file"], int(found["line"] or found["row"]))


def gradle(lines: list[str]) -> Fault | None:
    """Gradle: the innermost cause of a failed build."""
    at = next((i for i, line in enumerate(lines) if line == "* What went wrong:"), None)
    if at is None:
        return None
    said = list(takewhile(str.strip, lines[at + 1 : at + 12]))
    said = [
        line.strip().removeprefix("> ") for line in said if not line.strip().startswith(("Required by", "project "))
    ]
    words = [line for line in said if not _TASK_ASIDE.match(line)] or said
    return Fault("error", words[-1], *place_of(first(_WHERE.match, lines[:at]))) if words else None
