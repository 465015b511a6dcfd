"""How many calls this session may still make, estimated from the project's newest sessions."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from functools import cache
from pathlib import Path

from ctxe.agent.summary import summary
from ctxe.context.cost import calls_expected
from ctxe.domain.errors import SessionError

NEWEST = 20
"""Sessions to look at. Their logs are read when a fold is first weighed by its price, not at start-up."""


def calls_still_expected(folder: Path, own: str) -> Callable[[int], float]:
    """A function from the calls made to the calls still expected, by the logs in ``folder`` other than ``own``."""

    @cache
    def past() -> tuple[int, ...]:
        logs = [path for path in folder.glob("*.jsonl") if path.stem != own and path.is_file()]
        logs.sort(key=_written, reverse=True)
        return tuple(filter(None, map(count_calls, logs[:NEWEST])))

    return lambda done: calls_expected(past(), done)


def _written(path: Path) -> float:
    with contextlib.suppress(OSError):
        return path.stat().st_mtime
    return 0.0


def count_calls(path: Path) -> int:
    """Replies in a session's log, without those of its delegates; 0 when the log cannot be read."""
    with contextlib.suppress(SessionError, OSError):
        return sum(not one.delegate for one in summary(path).spent)
    return 0
