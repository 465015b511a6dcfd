"""A command that ended, in the forms in which failures are compared, with the tests that failed in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ctxe.domain.value import dataclass
from ctxe.knowledge.failures.calls import command_key, steps_passed
from ctxe.knowledge.failures.commands import plain_command


@dataclass(frozen=True, slots=True)
class EndedCommand:
    """``raw`` is the command as called, ``plain`` what it comes down to, ``key`` the call by which the gate knows it.

    ``failing`` are the tests that failed, empty unless all of them are named; ``failures`` is how many failed, ``ran``
    how many ran, 0 if unknown.
    """

    raw: str
    plain: str
    key: str
    failing: tuple[str, ...] = ()
    failures: int = 0
    ran: int = 0

    def steps(self, root: str) -> list[EndedCommand]:
        """The steps of a line that passed, if each of them must have passed, and the line itself."""
        steps = [
            EndedCommand(step, plain_command(step, root), command_key(step, root)) for step in steps_passed(self.raw)
        ]
        return [*steps, self]


def ended_command(facts: Mapping[str, Any], root: str) -> EndedCommand:
    """The command of a run from its ``facts`` (those of ``failed_runs.capture``); ``root`` is the project's folder."""
    raw = str(facts.get("command") or "")
    tests = facts.get("tests")
    failing, failures = _failed_tests(tests) if isinstance(tests, Mapping) else ((), 0)
    passed = tests.get("passed") if isinstance(tests, Mapping) else 0
    ran = failures + (passed if isinstance(passed, int) else 0)
    return EndedCommand(raw, plain_command(raw, root), command_key(raw, root), failing, failures, ran)


def _failed_tests(tests: Mapping[str, Any]) -> tuple[tuple[str, ...], int]:
    listed, count = tests.get("failed"), tests.get("failures")
    named = tuple(map(str, listed)) if isinstance(listed, list | tuple) else ()
    return named if len(named) == count else (), count if isinstance(count, int) else 0
