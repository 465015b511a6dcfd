"""Reading the summaries of JavaScript test runners: jest, vitest, bun, node and mocha."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import partial

from ctxe.tools.outcomes.testrun import Reader, TestRun, ids, matches, tally

_JEST_END = re.compile(r"^Tests:\s+(?P<counts>(?:\d+ \w+, )*\d+ total)")
_JEST_BAD = re.compile(r"^\s{0,4}● (?P<id>(?!Console$)\S.*)$")
_JEST_FILE = re.compile(r"^FAIL (?:\S+ )?(?:\./)?(?P<id>\S+\.\w+)(?: \([\d.]+ m?s\))?$")
_UNRUN = "Test suite failed to run"
"""The text that jest prints instead of a test's name when a file could not be loaded."""
_VITEST_END = re.compile(r"^\s+Tests\s+(?P<counts>\d+ \w+(?: \| \d+ \w+)*) \(\d+\)")
_VITEST_BAD = re.compile(r"^\s*FAIL\s+(?P<id>\S.*)$")


def _javascript(runner: str, end: re.Pattern[str], bad: re.Pattern[str], lines: Sequence[str]) -> TestRun | None:
    ends = matches(end, lines)
    if not ends:
        return None
    counts = tally(ends[-1]["counts"])
    names = [match["id"] for match in matches(bad, lines)]
    failed_files = [match["id"] for match in matches(_JEST_FILE, lines)] if _UNRUN in names else []
    names = [name for name in names if name != _UNRUN]
    skipped = counts.get("skipped", 0) + counts.get("todo", 0)
    return TestRun(
        runner,
        counts.get("passed", 0),
        counts.get("failed", 0) or len(failed_files),
        ids(names or failed_files),
        skipped,
    )


_BUN_END = re.compile(r"^\s+(?P<n>\d+) (?P<word>pass|fail|skip|todo)$")
_BUN_BAD = re.compile(r"^(?:\(fail\)|✗) (?P<id>.+?)(?: \[[\d.]+m?s\])?$")


def _bun(lines: Sequence[str]) -> TestRun | None:
    if not any(line.startswith("Ran ") and " across " in line for line in lines):
        return None
    counts = {match["word"]: int(match["n"]) for match in matches(_BUN_END, lines)}
    if not {"pass", "fail"} <= counts.keys():
        return None
    names = ids(match["id"] for match in matches(_BUN_BAD, lines))
    return TestRun("bun", counts["pass"], counts["fail"], names, counts.get("skip", 0) + counts.get("todo", 0))


_NODE_END = re.compile(r"^(?:#|ℹ) (?P<word>pass|fail|skipped) (?P<n>\d+)\s*$")
_NODE_BAD = re.compile(r"^\s*(?:not ok \d+ - |✖ )(?P<id>.+?)(?: \([\d.]+ms\))?(?P<todo> # (?:TODO|SKIP).*)?$")


def _node(lines: Sequence[str]) -> TestRun | None:
    counts = {match["word"]: int(match["n"]) for match in matches(_NODE_END, lines)}
    if not {"pass", "fail"} <= counts.keys():
        return None
    failed = (
        match_line["id"]
        for match_line in matches(_NODE_BAD, lines)
        if not match_line["todo"] and match_line["id"] != "failing tests:"
    )
    return TestRun("node", counts["pass"], counts["fail"], ids(failed), counts.get("skipped", 0))


_MOCHA_END = re.compile(r"^\s+(?P<n>\d+) (?P<word>passing|failing|pending)(?: \(.*\))?\s*$")
_MOCHA_BAD = re.compile(r"^\s+\d+\) \S")


def _mocha(lines: Sequence[str]) -> TestRun | None:
    counts = {match["word"]: int(match["n"]) for match in matches(_MOCHA_END, lines)}
    if "passing" not in counts:
        return None
    failed = counts.get("failing", 0)
    names = ids(_mocha_names(lines)) if failed else ()
    return TestRun("mocha", counts["passing"], failed, names, counts.get("pending", 0))


def _mocha_names(lines: Sequence[str]) -> Iterable[str]:
    """The failures after the counts; each begins with the titles of its suites and its own, up to a colon."""
    start = next(row for row, line in enumerate(lines) if (end := _MOCHA_END.match(line)) and end["word"] == "failing")
    for row, line in enumerate(lines[start:], start):
        if _MOCHA_BAD.match(line):
            size = next((offset for offset, part in enumerate(lines[row : row + 8]) if part.endswith(":")), 0)
            titles = [part.strip() for part in lines[row : row + size + 1]]
            yield " ".join(titles).partition(") ")[2].removesuffix(":")


PLAIN: tuple[Reader, ...] = (
    partial(_javascript, "jest", _JEST_END, _JEST_BAD),
    partial(_javascript, "vitest", _VITEST_END, _VITEST_BAD),
)
"""Runners whose summary no other program prints."""
VAGUE: tuple[Reader, ...] = (_bun, _node, _mocha)
"""Runners whose summary lines other programs print as well; tried last."""
