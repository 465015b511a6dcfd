"""Parsed fields of a command's run, which failures and the running record are made of: never free text."""

from __future__ import annotations

import re
from typing import Any

READ = 400_000
"""Characters looked at on each side of a long output."""

HEAD, TAIL = 5_000, 10_000
"""Lines looked at on each side: runners sum up at the end."""

_HIDES = re.compile(
    r"(?<!\|)\|(?!\|)\s*(?:tail|head|tee|cat|grep|rg|less|more|sort|uniq|sed|awk|cut|tr|wc|nl|column|jq)\b"
    r"|(?:\|\||;)\s*(?:true|:|echo)\b"
)
"""Plumbing behind which the exit code of what was run is lost."""


def outcome(command: str, exit_code: int | None, text: str, root: str = "", seconds: float = 0.0) -> dict[str, Any]:
    """The facts of one run; ``exit_code`` None means it was stopped by us.

    ``{"command", "exit_code", "seconds", "tests"?: {"runner", "passed", "failures", "failed", "skipped"},
    "error"?: {"class", "message", "file", "line"}, "hidden"?: True}``. The error is sought only when the run did not
    end well, or when plumbing hides how it ended (``hidden``); its message has at most 200 characters. ``text`` has
    no escape codes.
    """
    from ctxe.tools.outcomes.faults import read_fault
    from ctxe.tools.outcomes.testruns import read_tests

    facts: dict[str, Any] = {"command": command, "exit_code": exit_code, "seconds": round(seconds, 2)}
    if exit_code == 0 and _HIDES.search(command):
        facts["hidden"] = True
    near = _bounded(text)
    tests = read_tests(near)
    if tests is not None:
        facts["tests"] = {
            "runner": tests.runner,
            "passed": tests.passed,
            "failures": tests.failures,
            "failed": list(tests.failed),
            "skipped": tests.skipped,
        }
    if exit_code != 0 or (facts.get("hidden") and not (tests and tests.passed and not tests.failures)):
        fault = read_fault(near, root, failed=exit_code != 0)
        if fault is not None:
            facts["error"] = {"class": fault.kind, "message": fault.message, "file": fault.file, "line": fault.line}
    return facts


def _bounded(text: str) -> str:
    near = text if len(text) <= 2 * READ else f"{text[:READ]}\n{text[-READ:]}"
    if near.count("\n") <= HEAD + TAIL:
        return near
    lines = near.split("\n")
    return "\n".join([*lines[:HEAD], *lines[-TAIL:]])
