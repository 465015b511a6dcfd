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
    at, place = _first(_GTEST_AT, lines)
    if place is None:
        return None
    said = takewhile(lambda line: line and not line.startswith("["), lines[at + 1 : at + 6])
    return _fault("AssertionError", " ".join(line.strip() for line in said), place)


def catch(lines: list[str]) -> Fault | None:
    """Catch2: the place, then the assertion and its expansion."""
    at, place = _first(_CATCH_AT, lines)
    if place is None:
        return None
    rows = [line.strip() for line in takewhile(str.strip, lines[at + 1 : at + 10])]
    asides = ("with expansion:", "due to unexpected exception with message:", "due to a fatal error condition:")
    return _fault("AssertionError", " ".join(row for row in rows if row not in asides), place)


def checked(lines: list[str]) -> Fault | None:
    """A failed check of doctest or Boost.Test; doctest prints the values on the next line."""
    at, found = _first(_DOCTEST, lines)
    if found is not None:
        values = lines[at + 1].strip() if at + 1 < len(lines) and "values:" in lines[at + 1] else ""
        return _fault("AssertionError", f"{found['message']} {values}".strip(), found)
    _, found = _first(_BOOST, lines)
    return None if found is None else _fault("AssertionError", found["message"], found)


def aborted(lines: list[str]) -> Fault | None:
    """A program that aborted: a failed assertion, an uncaught exception, a sanitizer's finding."""
    _, found = _first(_ASSERT, lines)
    if found is not None:
        file, number = found["file"] or found["where"], found["line"] or found["number"]
        return Fault("Assertion", f"{found['glibc'] or found['other']} failed", file, int(number))
    at, found = _first(_THROWN, lines)
    if found is not None:
        told = next((line.partition("what():")[2] for line in lines[at + 1 : at + 3] if "what():" in line), "")
        return Fault(found["kind"].replace("::", "."), told or "terminate called")
    _, found = _first(_UNCAUGHT, lines)
    if found is not None:
        return Fault(found["kind"].replace("::", "."), found["message"])
    _, found = _first(_SANITIZER, lines)
    return None if found is None else _fault(found["kind"], found["message"], found)


def cmake(lines: list[str]) -> Fault | None:
    """CMake: the place, with the message indented below, and what a message that ends in a colon names."""
    at, found = _first(_CMAKE, lines)
    if found is None:
        return None
    rows = [line.strip() for line in takewhile(lambda line: not line or line[0] == " ", lines[at + 1 : at + 12])]
    first = list(takewhile(bool, rows))
    words = [*first, *rows[len(first) + 1 : len(first) + 2]] if first and first[-1].endswith(":") else first
    return _fault("CMake Error", " ".join(words), found)


def ctest(lines: list[str]) -> Fault | None:
    """ctest: how a failed test program ended, when it printed nothing itself."""
    bad = ended_badly(lines)
    return Fault(bad[0]["how"], bad[0]["id"]) if bad else None


def _first(pattern: re.Pattern[str], lines: list[str]) -> tuple[int, re.Match[str] | None]:
    return next(((i, found) for i, line in enumerate(lines) if (found := pattern.search(line))), (0, None))


def _fault(kind: str, message: str, place: re.Match[str]) -> Fault:
    return Fault(kind, message, place["file"] or "", int(place["line"] or 0))
