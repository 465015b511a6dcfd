"""Reading the output of C and C++ test runners: how many tests passed, and which failed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise

from ctxe.tools.outcomes.fault import PATH
from ctxe.tools.outcomes.testrun import TestRun, ids, matches, number, tally

_CTEST_END = re.compile(r"^\d+% tests passed, (?P<failed>\d+) tests? failed out of (?P<run>\d+)")
_CTEST_BAD = re.compile(r"^\s+\d+ - (?P<id>\S.*?) \((?!Disabled|Skipped|Not Run)(?P<how>[^()]+)\)\s*$")
_CTEST_LATER = re.compile(r"^\s+\d+ - .+ \((?:Disabled|Skipped|Not Run[^()]*)\)\s*$")
_GTEST_FINE = re.compile(r"^\[  PASSED  \] (?P<n>\d+) tests?")
_GTEST_MANY = re.compile(r"^\[  FAILED  \] (?P<n>\d+) tests?, listed below")
_GTEST_BAD = re.compile(r"^\[  FAILED  \] (?P<id>[\w./-]+)(?:, where .*)?$")
_GTEST_SKIP = re.compile(r"^\[  SKIPPED \] (?P<n>\d+) tests?")
_CATCH_END = re.compile(r"^(?:\[doctest\] )?test cases: +(?P<run>\d+) \|")
_CATCH_HEAD = re.compile(r"^(?:-{60,}|={60,})$")
_CATCH_BAD = re.compile(rf"^{PATH}:\d+: (?:FAILED:|(?:FATAL )?ERROR: )")
_CATCH_AT = re.compile(rf"^{PATH}:\d+:?$")
_CASE = re.compile(r"^TEST CASE:  (?P<id>.+)$")
_CURL_END = re.compile(r"^TESTDONE: (?P<fine>\d+) tests out of (?P<run>\d+) reported OK")
_CURL_BAD = re.compile(r"^TESTFAIL: These test cases failed: (?P<ids>[\d ]+)")


def ended_badly(lines: Sequence[str]) -> Sequence[re.Match[str]]:
    """The failed test programs of ctest: their names, and how they ended."""
    return matches(_CTEST_BAD, lines) if matches(_CTEST_END, lines) else ()


def ctest_run(lines: Sequence[str]) -> TestRun | None:
    """The summary of CMake's ctest, whose tests are programs."""
    ends = matches(_CTEST_END, lines)
    if not ends:
        return None
    failed, skipped = number(ends[-1], "failed"), len(matches(_CTEST_LATER, lines))
    names = ids(match["id"] for match in matches(_CTEST_BAD, lines)) if failed else ()
    return TestRun("ctest", max(0, number(ends[-1], "run") - failed), failed, names, skipped)


def gtest_run(lines: Sequence[str]) -> TestRun | None:
    """The summary of a GoogleTest program."""
    passed_lines, failed_lines, skipped_lines = (
        matches(pattern, lines) for pattern in (_GTEST_FINE, _GTEST_MANY, _GTEST_SKIP)
    )
    if not passed_lines:
        return None
    failed = number(failed_lines[-1], "n") if failed_lines else 0
    names = ids(match["id"] for match in matches(_GTEST_BAD, lines)) if failed else ()
    return TestRun(
        "gtest", number(passed_lines[-1], "n"), failed, names, number(skipped_lines[-1], "n") if skipped_lines else 0
    )


def catch_run(lines: Sequence[str]) -> TestRun | None:
    """The summary of Catch2 or doctest."""
    ends = matches(_CATCH_END, lines)
    if not ends:
        return None
    counts = tally(ends[-1].string)
    runner = "doctest" if ends[-1].string.startswith("[") else "catch2"
    names = ids(_case_names(lines)) if counts.get("failed") else ()
    return TestRun(runner, counts.get("passed", 0), counts.get("failed", 0), names, counts.get("skipped", 0))


def _case_names(lines: Sequence[str]) -> Iterable[str]:
    """Failed test cases: Catch2 names each below a rule, doctest on a line of its own."""
    name = ""
    for line, after in pairwise(lines):
        if match := _CASE.match(line[:2000]):
            name = match["id"]
        elif _CATCH_HEAD.match(line) and after[:1].strip(" .-=["):
            name = after if not _CATCH_AT.match(after[:2000]) else name
        elif name and _CATCH_BAD.match(line[:2000]):
            yield name


def curl_run(lines: Sequence[str]) -> TestRun | None:
    """The summary of curl's test suite, whose tests have numbers for names."""
    ends = matches(_CURL_END, lines)
    if not ends:
        return None
    failed = number(ends[-1], "run") - number(ends[-1], "fine")
    names = [name for match in matches(_CURL_BAD, lines) for name in match["ids"].split()]
    return TestRun("curl", number(ends[-1], "fine"), failed, ids(f"test {name}" for name in names))
