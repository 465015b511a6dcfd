"""Reading the first error in the output of C and C++: test libraries, assertions, sanitizers, CMake."""

from __future__ import annotations

import re
from itertools import takewhile

from ctxe.tools.outcomes.fault import PATH, Fault, placed
from ctxe.tools.outcomes.native import ended_badly

_GTEST_AT = re.compile(rf"^(?:{PATH}:(?P<line>\d+)|unknown file): Failure$")
_CATCH_AT = re.compile(rf"^{PATH}:(?P<line>\d+): FAILED:$")
_DOCTEST = re.compile(rf"^{PATH}:(?P<line>\d+): (?:FATAL )?ERROR: (?P<message>.+)$")
_BOOST = re.compile(rf"^{PATH}\((?P<line>\d+)\): (?:fatal )?error: in \"[^\"]+\": (?P<message>.+)$")
_ASSERT = re.compile(
    rf"(?:^|: ){PATH}:(?P<line>\d+): .*?: Assertion [`'](?P<glibc>.+)' failed\.$"
    r"|^Assertion failed: (?P<other>.+?), function .+?, file (?P<where>\S+), line (?P<number>\d+)\.$"
)
_THROWN = re.compile(r"^terminate called after throwing an instance of '(?P<kind>[^']+)'$")
_UNCAUGHT = re.compile(r"uncaught exception of type (?P<kind>[\w:]+): (?P<message>.+)$")
_SANITIZER = re.compile(
    rf"^SUMMARY: (?P<kind>\w+Sanitizer): (?P<message>\S+(?: \S+)*?) {PATH}:(?P<line>\d+)(?::\d+)?(?: in .+)?$"
)
_CMAKE = re.compile(rf"^CMake Error at {PATH}:(?P<line>\d+)(?: \((?P<call>\w+)\))?:$")

memcheck = placed(
    r"^==\d+== (?P<message>(?:Invalid (?:read|write|free)|Conditional jump|Use of uninitialised).*)$",
    r"^==\d+== .*\((?P<file>[\w-]+\.\w+):(?P<line>\d+)\)$",
    "Memcheck",
)
"""Valgrind."""


def gtest(lines: list[str]) -> Fault | None:
    """GoogleTest: the place of a failed expectation, with the expected and the actual value below."""
    row, match = _first(_GTEST_AT, lines)
    if match is None:
        return None
    values = takewhile(lambda line: line and not line.startswith("["), lines[row + 1 : row + 6])
    return _fault("AssertionError", " ".join(line.strip() for line in values), match)


def catch(lines: list[str]) -> Fault | None:
    """Catch2: the place, then the assertion and its expansion."""
    start, match = _first(_CATCH_AT, lines)
    if match is None:
        return None
    rows = [line.strip() for line in takewhile(str.strip, lines[start + 1 : start + 10])]
    remarks = ("with expansion:", "due to unexpected exception with message:", "due to a fatal error condition:")
    return _fault("AssertionError", " ".join(row for row in rows if row not in remarks), match)


def checked(lines: list[str]) -> Fault | None:
    """A failed check of doctest or Boost.Test; doctest prints the values on the next line."""
    row, match = _first(_DOCTEST, lines)
    if match is not None:
        values = lines[row + 1].strip() if row + 1 < len(lines) and "values:" in lines[row + 1] else ""
        return _fault("AssertionError", f"{match['message']} {values}".strip(), match)
    _, match = _first(_BOOST, lines)
    return None if match is None else _fault("AssertionError", match["message"], match)


def aborted(lines: list[str]) -> Fault | None:
    """A program that aborted: a failed assertion, an uncaught exception, a sanitizer's finding."""
    _, match = _first(_ASSERT, lines)
    if match is not None:
        file, number = match["file"] or match["where"], match["line"] or match["number"]
        return Fault("Assertion", f"{match['glibc'] or match['other']} failed", file, int(number))
    row, match = _first(_THROWN, lines)
    if match is not None:
        message = next((line.partition("what():")[2] for line in lines[row + 1 : row + 3] if "what():" in line), "")
        return Fault(match["kind"].replace("::", "."), message or "terminate called")
    _, match = _first(_UNCAUGHT, lines)
    if match is not None:
        return Fault(match["kind"].replace("::", "."), match["message"])
    _, match = _first(_SANITIZER, lines)
    return None if match is None else _fault(match["kind"], match["message"], match)


def cmake(lines: list[str]) -> Fault | None:
    """CMake: the place, with the message indented below, and what a message that ends in a colon names."""
    row, match = _first(_CMAKE, lines)
    if match is None:
        return None
    rows = [line.strip() for line in takewhile(lambda line: not line or line[0] == " ", lines[row + 1 : row + 12])]
    first = list(takewhile(bool, rows))
    words = [*first, *rows[len(first) + 1 : len(first) + 2]] if first and first[-1].endswith(":") else first
    return _fault("CMake Error", " ".join(words), match)


def ctest(lines: list[str]) -> Fault | None:
    """ctest: how a failed test program ended, when it printed nothing itself."""
    failed = ended_badly(lines)
    return Fault(failed[0]["how"], failed[0]["id"]) if failed else None


def _first(pattern: re.Pattern[str], lines: list[str]) -> tuple[int, re.Match[str] | None]:
    return next(((row, match) for row, line in enumerate(lines) if (match := pattern.search(line))), (0, None))


def _fault(kind: str, message: str, match: re.Match[str]) -> Fault:
    return Fault(kind, message, match["file"] or "", int(match["line"] or 0))
