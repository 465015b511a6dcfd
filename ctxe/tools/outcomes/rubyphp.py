"""Reading the output of RSpec and PHPUnit: which tests failed, and the first error."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import takewhile

from ctxe.tools.outcomes.fault import PATH, RAISED, Fault, first, place_of
from ctxe.tools.outcomes.testrun import TestRun, ids, matches, number

_RSPEC_END = re.compile(r"^(?P<run>\d+) examples?, (?P<failed>\d+) failures?(?:, (?P<pending>\d+) pending)?")
_RSPEC_BAD = re.compile(r"^rspec \S+ # (?P<id>.+)$")
_RSPEC_AT = re.compile(rf"^\s+# {PATH}:(?P<line>\d+)")
_RSPEC_KIND = re.compile(r"^(?P<kind>[A-Z][\w:]*):$")
_PHPUNIT_END = re.compile(r"^Tests: (?P<run>\d+), Assertions: \d+(?P<counts>(?:, [\w ]+: \d+)*)")
_PHPUNIT_FINE = re.compile(r"^OK \((?P<run>\d+) tests?, \d+ assertions?\)")
_PHPUNIT_BAD = re.compile(r"^\d+\) (?P<id>\S+::\S.*)$")
_PHPUNIT_AT = re.compile(rf"^{PATH}:(?P<line>\d+)$")
_COUNT = re.compile(r", (\w+)[\w ]*: (\d+)")


def rspec(lines: list[str]) -> Fault | None:
    """RSpec: the line of the failed example, with the error and then its place below."""
    at = next((i for i, line in enumerate(lines) if line.lstrip().startswith("Failure/Error:")), None)
    if at is None:
        return None
    said = [line.strip() for line in takewhile(lambda line: not _RSPEC_AT.match(line), lines[at + 1 : at + 60])]
    said = [line for line in said if line] or [lines[at].partition("Failure/Error:")[2].strip()]
    place = place_of(first(_RSPEC_AT.match, lines[at : at + 60]))
    raised = next((i for i, line in enumerate(said[:-1]) if _RSPEC_KIND.match(line)), None)
    if raised is not None:
        return Fault(said[raised].rstrip(":"), said[raised + 1], *place)
    return Fault("ExpectationNotMetError", said[0], *place)


def phpunit(lines: list[str]) -> Fault | None:
    """PHPUnit: the numbered name of the failed test, with the error and then its place below."""
    at = next((i for i, line in enumerate(lines) if _PHPUNIT_BAD.match(line)), None)
    if at is None or not any(map(_PHPUNIT_END.match, lines)):
        return None
    said = next((line.strip() for line in lines[at + 1 :] if line.strip()), "")
    place = place_of(first(_PHPUNIT_AT.match, lines[at : at + 60]))
    raised = RAISED.match(said.replace("\\", "."))
    kind, message = (raised["kind"], raised["message"]) if raised and raised["message"] else ("AssertionError", said)
    return Fault(kind, message, *place)


def rspec_run(lines: Sequence[str]) -> TestRun | None:
    """The summary of RSpec."""
    ends = matches(_RSPEC_END, lines)
    if not ends:
        return None
    failed, pending = number(ends[-1], "failed"), number(ends[-1], "pending")
    names = ids(found["id"] for found in matches(_RSPEC_BAD, lines))
    return TestRun("rspec", number(ends[-1], "run") - failed - pending, failed, names, pending)


def phpunit_run(lines: Sequence[str]) -> TestRun | None:
    """The summary of PHPUnit."""
    ends = matches(_PHPUNIT_END, lines)
    if not ends:
        fine = matches(_PHPUNIT_FINE, lines)
        return TestRun("phpunit", number(fine[-1], "run"), 0) if fine else None
    counts = {word: int(count) for word, count in _COUNT.findall(ends[-1]["counts"])}
    broken = counts.get("Errors", 0) + counts.get("Failures", 0)
    skipped = counts.get("Skipped", 0) + counts.get("Incomplete", 0)
    names = ids(found["id"] for found in matches(_PHPUNIT_BAD, lines)) if broken else ()
    return TestRun("phpunit", number(ends[-1], "run") - broken - skipped, broken, names, skipped)
