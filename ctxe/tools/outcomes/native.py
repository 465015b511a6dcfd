"""Reading the output of C and C++ test runners and Ruby's minitest: which tests failed, and the first error."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise, takewhile

from ctxe.tools.outcomes.fault import PATH, RAISED, Fault, first, place_of
from ctxe.tools.outcomes.testrun import TestRun, ids, matches, number, tally

_CTEST_END = re.compile(r"^\d+% tests passed, (?P<failed>\d+) tests? failed out of (?P<run>\d+)")
_CTEST_BAD = re.compile(r"^\s+\d+ - (?P<id>\S.*?) \((?!Disabled|Skipped|Not Run)(?P<how>[^()]+)\)\s*$")
_CTEST_LATER = re.compile(r"^\s+\d+ - .+ \((?:Disabled|Skipped|Not Run[^()]*)\)\s*$")
_GTEST_FINE = re.compile(r"^\[  PASSED  \] (?P<n>\d+) tests?")
_GTEST_MANY = re.compile(r"^\[  FAILED  \] (?P<n>\d+) tests?, listed below")
_GTEST_BAD = re.compile(r"^\[  FAILED  \] (?P<id>[\w./-]+)(?:, where .*)?$")
_GTEST_SKIP = re.compile(r"^\[  SKIPPED \] (?P<n>\d+) tests?")
_GTEST_AT = re.compile(rf"^{PATH}:(?P<line>\d+): Failure$")
_CURL_END = re.compile(r"^TESTDONE: (?P<fine>\d+) tests out of (?P<run>\d+) reported OK")
_CURL_BAD = re.compile(r"^TESTFAIL: These test cases failed: (?P<ids>[\d ]+)")
_MINI_END = re.compile(r"^\d+ (?:runs|tests), \d+ assertions, \d+ failures, \d+ errors\b")
_NUMBERED = re.compile(r"^\s*\d+\) (?P<kind>Failure|Error):$")
_TITLE = re.compile(rf"^(?P<id>\S+?)(?: \[{PATH}:(?P<line>\d+)\])?:?$")
_RUBY_BAD = re.compile(r"^(?:Failure|Error): (?P<id>\w+\([\w:]+\))")
_RUBY_AT = re.compile(rf"^\s*{PATH}:(?P<line>\d+):in ")


def ctest_run(lines: Sequence[str]) -> TestRun | None:
    """The summary of CMake's ctest, whose tests are programs."""
    ends = matches(_CTEST_END, lines)
    if not ends:
        return None
    failed, later = number(ends[-1], "failed"), len(matches(_CTEST_LATER, lines))
    names = ids(found["id"] for found in matches(_CTEST_BAD, lines)) if failed else ()
    return TestRun("ctest", max(0, number(ends[-1], "run") - failed), failed, names, later)


def gtest_run(lines: Sequence[str]) -> TestRun | None:
    """The summary of a GoogleTest program."""
    fine, many, later = (matches(one, lines) for one in (_GTEST_FINE, _GTEST_MANY, _GTEST_SKIP))
    if not fine:
        return None
    failed = number(many[-1], "n") if many else 0
    names = ids(found["id"] for found in matches(_GTEST_BAD, lines)) if failed else ()
    return TestRun("gtest", number(fine[-1], "n"), failed, names, number(later[-1], "n") if later else 0)


def curl_run(lines: Sequence[str]) -> TestRun | None:
    """The summary of curl's test suite, whose tests have numbers for names."""
    ends = matches(_CURL_END, lines)
    if not ends:
        return None
    failed = number(ends[-1], "run") - number(ends[-1], "fine")
    names = [name for found in matches(_CURL_BAD, lines) for name in found["ids"].split()]
    return TestRun("curl", number(ends[-1], "fine"), failed, ids(f"test {name}" for name in names))


def minitest_run(lines: Sequence[str]) -> TestRun | None:
    """The summary of Ruby's minitest or test-unit."""
    ends = matches(_MINI_END, lines)
    if not ends:
        return None
    counts = tally(ends[-1].string)
    failed = counts["failures"] + counts["errors"]
    later = sum(counts.get(word, 0) for word in ("skips", "pendings", "omissions"))
    names = ids(_numbered_names(lines)) or ids(found["id"] for found in matches(_RUBY_BAD, lines))
    ran = counts.get("runs", counts.get("tests", 0))
    return TestRun("minitest", max(0, ran - failed - later), failed, names if failed else (), later)


def _numbered_names(lines: Sequence[str]) -> Iterable[str]:
    for line, after in pairwise(lines):
        if _NUMBERED.match(line[:2000]) and (title := _TITLE.match(after[:2000])):
            yield title["id"]


def gtest(lines: list[str]) -> Fault | None:
    """GoogleTest: the place of a failed expectation, with the expected and the actual value below."""
    place = first(_GTEST_AT.match, lines)
    if place is None:
        return None
    at = lines.index(place.string)
    said = takewhile(lambda line: line and not line.startswith("["), lines[at + 1 : at + 6])
    return Fault("AssertionError", " ".join(line.strip() for line in said), *place_of(place))


def numbered(lines: list[str]) -> Fault | None:
    """Minitest and libgit2's clar: a numbered failure with its name, often its place, and the error below."""
    at = next((i for i, line in enumerate(lines[:-1]) if _NUMBERED.match(line)), None)
    if at is None or not (title := _TITLE.match(lines[at + 1])):
        return None
    said = [line.strip() for line in takewhile(str.strip, lines[at + 2 : at + 5])]
    raised = RAISED.match(said[0]) if said and "Error:" in lines[at] else None
    spot = title if title["file"] else first(_RUBY_AT.match, lines[at : at + 12])
    if raised and raised["message"]:
        return Fault(raised["kind"], raised["message"], *place_of(spot))
    return Fault("AssertionError", " ".join(said), *place_of(spot))


def ctest(lines: list[str]) -> Fault | None:
    """ctest: how a failed test program ended, when it printed nothing itself."""
    bad = matches(_CTEST_BAD, lines) if matches(_CTEST_END, lines) else ()
    return Fault(bad[0]["how"], bad[0]["id"]) if bad else None
