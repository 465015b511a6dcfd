"""One run of a test suite, and what all readers of such runs share."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from ctxe.domain.value import dataclass

IDS = 100
"""Failing tests that are named; the count tells of the rest."""

ID_CHARS = 200


@dataclass(frozen=True, slots=True)
class TestRun:
    """One run of a test suite. ``failed`` names at most 100 tests; ``failures`` is how many failed or broke in all."""

    __test__ = False

    runner: str
    passed: int
    failures: int
    failed: tuple[str, ...] = ()
    skipped: int = 0


Reader = Callable[[Sequence[str]], TestRun | None]
"""Reads the lines of an output; nothing where its runner did not speak."""


def ids(found: Iterable[str]) -> tuple[str, ...]:
    """Each name once, in order, bounded."""
    names = dict.fromkeys(" ".join(name.split())[:ID_CHARS] for name in found)
    return tuple(names)[:IDS]


def matches(pattern: re.Pattern[str], lines: Sequence[str]) -> list[re.Match[str]]:
    """Where lines hold a pattern; endless lines are passed over."""
    return [found for line in lines if len(line) <= 2000 and (found := pattern.search(line))]


def number(found: re.Match[str], group: str) -> int:
    """A group that is a number, or is not there."""
    return int(found[group] or 0)


def tally(line: str) -> dict[str, int]:
    """``1 failed, 2 passed`` or ``1 failed | 2 passed`` as a mapping from word to number."""
    return {word: int(number) for number, word in re.findall(r"(\d+) ([a-z]+)", line)}
