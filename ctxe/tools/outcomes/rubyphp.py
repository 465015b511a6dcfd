"""What the test runners of Ruby and PHP print: which tests failed, and the first thing that went wrong."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import takewhile

from ctxe.tools.outcomes.fault import PATH, RAISED, Fault
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
    """Below the line of the example that failed stands what was wrong, and then the place."""
    at = next((i for i, line in enumerate(lines) if line.lstrip().startswith("Failure/Error:")), None)
    if at is None:
        return None
    said = [line.strip() for line in takewhile(lambda line: not _RSPEC_AT.match(line), lines[at + 1 : at + 60])]
    said = [line for line in said if line] or [lines[at].partition("Failure/Error:")[2].strip()]
    spot = next((found for line in lines[at : at + 60] if (found := _RSPEC_AT.match(line))), None)
    file, number_ = (spot["file"], int(spot["line"])) if spot else ("", 0)
    raised = next((i for i, line in enumerate(said[:-1]) if _RSPEC_KIND.match(line)), None)
    if raised is not None:
        return Fault(said[raised].rstrip(":"), said[raised + 1], file, number_)
    return Fault("ExpectationNotMetError", said[0], file, number_)


def phpunit(lines: list[str]) -> Fault | None:
    """Below the numbered name of the test that failed stands what was wrong, and then the place."""
    at = next((i for i, line in enumerate(lines) if _PHPUNIT_BAD.match(line)), None)
    if at is None or not any(map(_PHPUNIT_END.match, lines)):
        return None
    said = next((line.strip() for line in lines[at + 1 :] if line.strip()), "")
    spot = next((found for line in lines[at : at + 60] if (found := _PHPUNIT_AT.match(line))), None)
    raised = RAISED.match(said.replace("\\", "."))
    kind, message = (raised["kind"], raised["message"]) if raised and raised["message"] else ("AssertionError", said)
    return Fault(kind, message, spot["file"] if spot else "", int(spot["line"]) if spot else 0)


def rspec_run(lines: Sequence[str]) -> TestRun | None:
    """How many examples passed and which did not."""
    ends = matches(_RSPEC_END, lines)
    if not ends:
        return None
    failed, pending = number(ends[-1], "failed"), number(ends[-1], "pending")
    names = ids(found["id"] for found in matches(_RSPEC_BAD, lines))
    return TestRun("rspec", number(ends[-1], "run") - failed - pending, failed, names, pending)


def phpunit_run(lines: Sequence[str]) -> TestRun | None:
    """How many tests passed and which did not."""
    ends = matches(_PHPUNIT_END, lines)
    if not ends:
        fine = matches(_PHPUNIT_FINE, lines)
        return TestRun("phpunit", number(fine[-1], "run"), 0) if fine else None
    counts = {word: int(count) for word, count in _COUNT.findall(ends[-1]["counts"])}
    broken = counts.get("Errors", 0) + counts.get("Failures", 0)
    skipped = counts.get("Skipped", 0) + counts.get("Incomplete", 0)
    names = ids(found["id"] for found in matches(_PHPUNIT_BAD, lines)) if broken else ()
    return TestRun("phpunit", number(ends[-1], "run") - broken - skipped, broken, names, skipped)
