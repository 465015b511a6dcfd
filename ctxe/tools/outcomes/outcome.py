"""Extracting the facts of a command's run from its output, for failures and the running record."""

from __future__ import annotations

import re
from typing import Any

READ = 400_000
"""Characters of a long output that are read at its beginning and at its end."""

HEAD, TAIL = 5_000, 10_000
"""Lines that are read at the beginning and at the end, where runners print summaries."""

_HIDES = re.compile(
    r"(?<!\|)\|(?!\|)\s*(?:tail|head|tee|cat|grep|rg|less|more|sort|uniq|sed|awk|cut|tr|wc|nl|column|jq)\b"
    r"|(?:\|\||;)\s*(?:true|:|echo)\b"
)
"""Pipes and fallbacks that hide the exit code of the command itself."""


def outcome(command: str, exit_code: int | None, text: str, root: str = "", seconds: float = 0.0) -> dict[str, Any]:
    """The facts of one run; ``exit_code`` is None for a command that we stopped.

    ``{"command", "exit_code", "seconds", "tests"?: {"runner", "passed", "failures", "failed", "skipped"},
    "error"?: {"class", "message", "file", "line"}, "hidden"?: True}``. The error is looked for only when the run failed
    or its exit code is ``hidden``; its message has at most 200 characters. ``text`` must be free of escape sequences.
    """
    from ctxe.tools.outcomes.faults import read_fault
    from ctxe.tools.outcomes.testruns import read_tests

    facts: dict[str, Any] = {"command": command, "exit_code": exit_code, "seconds": round(seconds, 2)}
    if exit_code == 0 and _HIDES.search(command):
        facts["hidden"] = True
    bounded = _bounded(text)
    tests = read_tests(bounded)
    if tests is not None:
        facts["tests"] = {
            "runner": tests.runner,
            "passed": tests.passed,
            "failures": tests.failures,
            "failed": [name.removeprefix(f"{root.rstrip('/')}/") if root else name for name in tests.failed],
            "skipped": tests.skipped,
        }
    if exit_code != 0 or (facts.get("hidden") and not (tests and tests.passed and not tests.failures)):
        fault = read_fault(bounded, root, failed=exit_code != 0)
        if fault is not None:
            facts["error"] = {"class": fault.kind, "message": fault.message, "file": fault.file, "line": fault.line}
    return facts


def _bounded(text: str) -> str:
    kept = text if len(text) <= 2 * READ else f"{text[:READ]}\n{text[-READ:]}"
    if kept.count("\n") <= HEAD + TAIL:
        return kept
    lines = kept.split("\n")
    return "\n".join([*lines[:HEAD], *lines[-TAIL:]])
