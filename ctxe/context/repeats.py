"""Drops lines of command output that repeat: progress, tests that passed one by one, a line printed many times."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

from ctxe.domain.pattern import pattern

REPEATS = 4
"""Fewest equal lines in a row that are shown as one line and a count."""

PASSED_OVER = 10
"""Fewest adjacent lines, differing only in numbers and bars, that count as progress; fewer may be a table, as of
scores.
"""

_BAR = pattern(r"\d\s?%|[█▉▊▋▌▍▎▏#=]{6,}|\b\d+/\d+\b")
_MOVING = pattern(r"[\d.,:/%\s█▉▊▋▌▍▎▏#=>\-|]+")
_PASSED = pattern(
    r"test \S.* \.\.\. ok$|\S+::\S.* PASSED(?: +\[ *\d+%\])?$|\s*--- PASS: \S+ \([\d.]+s\)$"
    r"|\s*[✓✔√] \S.*$|ok \d+ - \S.*$|(?:\S+\.py )?[.sx]+ +\[ *\d+%\]$"
    r"|PASS \S+(?: \([\d.]+ m?s\))?$"
    r"|\[INFO\] (?:Running [\w.$]+|Tests run: \d+, Failures: 0, Errors: 0, Skipped: \d+, Time elapsed: .*)$"
    r"|\s*(?:Start\s+\d+: \S+|\d+/\d+ Test\s+#\d+: \S+ \.*\s+Passed\s+[\d.]+ sec)$"
    r"|\[(?: RUN {5}| {7}OK) \] \S+(?: \(\d+ ms\))?$"
)
_WENT_WELL = "passed"


def without_repeats(lines: Sequence[str], handle: str) -> tuple[list[str], bool]:
    """The lines without progress and repeats, and whether progress was dropped, which ``handle`` recalls."""
    shown = list(_without_progress(lines, handle))
    return list(_counted(shown)), len(shown) < len(lines)


def _without_progress(lines: Iterable[str], handle: str) -> Iterable[str]:
    """Replace runs of progress by a note and their last line, since it may be a result.

    A run of passed tests, each with its name, becomes a note alone: only their number matters.
    """
    for form, group in groupby(lines, key=_progress_key):
        together = list(group)
        if form is None or len(together) < PASSED_OVER or len(set(together)) == 1:
            yield from together
        elif form == _WENT_WELL:
            yield f"[{len(together):,} lines of tests that passed; recall {handle}]"
        else:
            yield f"[{len(together) - 1:,} lines like the next one, with other numbers; recall {handle}]"
            yield together[-1]


def _progress_key(line: str) -> str | None:
    """What neighbouring progress lines have in common: their words without numbers and bars; None for other lines."""
    return _WENT_WELL if is_passed(line) else _MOVING.sub(" ", line) if _BAR.search(line) else None


def is_passed(line: str) -> bool:
    """True when a line says only that one test passed."""
    return bool(_PASSED.match(line)) or (line.endswith(" PASSED") and " > " in line)


def _counted(lines: Iterable[str]) -> Iterable[str]:
    """The lines, with runs of REPEATS or more equal ones shown as one line and a count."""
    for line, group in groupby(lines):
        times = sum(1 for _ in group)
        if times < REPEATS:
            yield from [line] * times
        else:
            yield line
            yield f"[the line above {times - 1:,} more times]"
