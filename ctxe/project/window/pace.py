"""How long this session may still be: what the newest sessions of the project say."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from functools import cache
from pathlib import Path

from ctxe.agent.summary import summary
from ctxe.context.cost import calls_expected
from ctxe.domain.errors import SessionError

NEWEST = 20
"""Sessions that are looked at; they are read when a fold is first thought of for money's sake, not at the start."""


def expected(folder: Path, own: str) -> Callable[[int], float]:
    """Calls still to come after so many, by the sessions in ``folder`` but the one named ``own``."""

    @cache
    def past() -> tuple[int, ...]:
        logs = [path for path in folder.glob("*.jsonl") if path.stem != own and path.is_file()]
        logs.sort(key=_written, reverse=True)
        return tuple(filter(None, map(calls_of, logs[:NEWEST])))

    return lambda done: calls_expected(past(), done)


def _written(path: Path) -> float:
    with contextlib.suppress(OSError):
        return path.stat().st_mtime
    return 0.0


def calls_of(path: Path) -> int:
    """Replies in a session's log, those of its delegates left out; 0 for what cannot be read."""
    with contextlib.suppress(SessionError, OSError):
        return sum(not one.delegate for one in summary(path).spent)
    return 0
