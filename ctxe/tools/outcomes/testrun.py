"""The result of a test run, and functions that all readers of test runners' summaries share."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from ctxe.domain.value import dataclass

MOST_IDS = 100
"""Most failed tests that are named; the rest are only counted."""

LONGEST_ID = 200


@dataclass(frozen=True, slots=True)
class TestRun:
    """The result of a test run. ``failures`` counts all failed or broken tests, ``failed`` names at most 100."""

    __test__ = False

    runner: str
    passed: int
    failures: int
    failed: tuple[str, ...] = ()
    skipped: int = 0


Reader = Callable[[Sequence[str]], TestRun | None]
"""Reads the lines of an output; None when it is not its runner's."""


def ids(raw_names: Iterable[str]) -> tuple[str, ...]:
    """Each name once, in order, limited in number and length."""
    names = dict.fromkeys(" ".join(name.split())[:LONGEST_ID] for name in raw_names)
    return tuple(names)[:MOST_IDS]


def matches(pattern: re.Pattern[str], lines: Sequence[str]) -> list[re.Match[str]]:
    """The match of each line that matches a pattern; lines above 2,000 characters are skipped."""
    return [match for line in lines if len(line) <= 2000 and (match := pattern.search(line))]


def number(match: re.Match[str], group: str) -> int:
    """The number in a group; 0 when the group did not match."""
    return int(match[group] or 0)


def tally(line: str) -> dict[str, int]:
    """``1 failed, 2 passed`` or ``1 failed | 2 passed`` as a mapping from word to number."""
    return {word: int(number) for number, word in re.findall(r"(\d+) ([a-z]+)", line)}
