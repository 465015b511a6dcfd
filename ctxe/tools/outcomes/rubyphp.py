"""Reading the output of RSpec, minitest and PHPUnit: which tests failed, and the first error of PHPUnit."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ctxe.tools.outcomes.fault import EXCEPTION, PATH, Fault, first, place_of
from ctxe.tools.outcomes.rubyfaults import titles
from ctxe.tools.outcomes.testrun import TestRun, ids, matches, number, tally

_RSPEC_END = re.compile(
    r"^(?P<run>\d+) examples?, (?P<failed>\d+) failures?(?:, (?P<pending>\d+) pending)?"
    r"(?:, (?P<unloaded>\d+) errors? occurred outside)?"
)
_RSPEC_BAD = re.compile(r"^rspec \S+ # (?P<id>.+)$")
_RSPEC_UNLOADED = re.compile(r"^An error occurred while loading (?:\./)?(?P<id>\S+?)\.?$")
_MINI_END = re.compile(r"^\d+ (?:runs|tests), \d+ assertions, \d+ failures, \d+ errors\b")
_MINI_OLD = re.compile(r"^(?:Failure|Error): (?P<id>\w+\([\w:]+\))")
_PHPUNIT_END = re.compile(r"^Tests: (?P<run>\d+), Assertions: \d+(?P<counts>(?:, [\w ]+: \d+)*)")
_PHPUNIT_FINE = re.compile(r"^OK \((?P<run>\d+) tests?, \d+ assertions?\)")
_PHPUNIT_BAD = re.compile(r"^\d+\) (?P<id>\S+::\S.*)$")
_PHPUNIT_AT = re.compile(rf"^{PATH}:(?P<line>\d+)$")
_COUNT = re.compile(r", (\w+)[\w ]*: (\d+)")


def phpunit(lines: list[str]) -> Fault | None:
    """PHPUnit: the numbered name of the failed test, with the error and then its place below."""
    row = next((index for index, line in enumerate(lines) if _PHPUNIT_BAD.match(line)), None)
    if row is None or not any(map(_PHPUNIT_END.match, lines)):
        return None
    text = next((line.strip() for line in lines[row + 1 :] if line.strip()), "")
    place = place_of(first(_PHPUNIT_AT.match, lines[row : row + 60]))
    raised = EXCEPTION.match(text.replace("\\", "."))
    kind, message = (raised["kind"], raised["message"]) if raised and raised["message"] else ("AssertionError", text)
    return Fault(kind, message, *place)


def rspec_run(lines: Sequence[str]) -> TestRun | None:
    """The summary of RSpec."""
    ends = matches(_RSPEC_END, lines)
    if not ends:
        return None
    failed, pending = number(ends[-1], "failed"), number(ends[-1], "pending")
    names = ids(match["id"] for pattern in (_RSPEC_BAD, _RSPEC_UNLOADED) for match in matches(pattern, lines))
    passed = number(ends[-1], "run") - failed - pending
    return TestRun("rspec", passed, failed + number(ends[-1], "unloaded"), names, pending)


def minitest_run(lines: Sequence[str]) -> TestRun | None:
    """The summary of Ruby's minitest or test-unit."""
    ends = matches(_MINI_END, lines)
    if not ends:
        return None
    counts = tally(ends[-1].string)
    failed = counts["failures"] + counts["errors"]
    skipped = sum(counts.get(word, 0) for word in ("skips", "pendings", "omissions"))
    names = ids(titles(lines)) or ids(match["id"] for match in matches(_MINI_OLD, lines))
    ran = counts.get("runs", counts.get("tests", 0))
    return TestRun("minitest", max(0, ran - failed - skipped), failed, names if failed else (), skipped)


def phpunit_run(lines: Sequence[str]) -> TestRun | None:
    """The summary of PHPUnit."""
    ends = matches(_PHPUNIT_END, lines)
    if not ends:
        passed_lines = matches(_PHPUNIT_FINE, lines)
        return TestRun("phpunit", number(passed_lines[-1], "run"), 0) if passed_lines else None
    counts = {word: int(count) for word, count in _COUNT.findall(ends[-1]["counts"])}
    failed = counts.get("Errors", 0) + counts.get("Failures", 0)
    skipped = counts.get("Skipped", 0) + counts.get("Incomplete", 0)
    names = ids(match["id"] for match in matches(_PHPUNIT_BAD, lines)) if failed else ()
    return TestRun("phpunit", number(ends[-1], "run") - failed - skipped, failed, names, skipped)
