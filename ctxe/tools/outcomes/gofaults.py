"""Reading the first error in the output of Go tests."""

from __future__ import annotations

import re
from itertools import takewhile

from ctxe.tools.outcomes.fault import PATH, Fault, place_of

_SAID = re.compile(rf"^\s+{PATH}:(?P<line>\d+): ?(?P<message>.*)$")
_TELLS = re.compile(
    r"want|got\b|expect|should|must|fail|error|unexpected|mismatch|\bnil\b|invalid|\bnot\b|wrong|differ|timeout|missing",
    re.IGNORECASE,
)
"""Words of a line that reports a failure, which are rare in a line that a test only logs."""
_TRACE = re.compile(rf"Error Trace:\s+{PATH}:(?P<line>\d+)")
_FRAME = re.compile(rf"^\s+{PATH}:(?P<line>\d+)(?: \+0x[0-9a-f]+)?$")
_THEIRS = ("/usr/local/go/", "/libexec/src/", "/pkg/mod/", "/go/src/", "testing.go")


def go_panic(lines: list[str]) -> Fault | None:
    """A Go panic, or a data race: the message, and the first frame of the project."""
    at = next((i for i, line in enumerate(lines) if line.startswith(("panic: ", "WARNING: DATA RACE"))), None)
    if at is None or not any(line.startswith(("goroutine ", "WARNING: DATA RACE")) for line in lines[at : at + 40]):
        return None
    frames = (found for line in lines[at : at + 80] if (found := _FRAME.match(line)))
    own = next((found for found in frames if not any(place in found["file"] for place in _THEIRS)), None)
    kind, _, said = lines[at].partition(": ")
    words = said.removesuffix(" [recovered]")
    kind, words = (kind, words) if kind == "panic" else ("DATA RACE", "race detected")
    return Fault(kind, words, *place_of(own))


def go_test(lines: list[str]) -> Fault | None:
    """The message of the first failed Go test: below its line, or above it with ``-v``."""
    failed = next((i for i, line in enumerate(lines) if line.lstrip().startswith("--- FAIL:")), None)
    if failed is None:
        return None
    below = list(takewhile(lambda line: not line.startswith(("FAIL", "ok ", "=== ", "--- ")), lines[failed + 1 :]))
    above = list(takewhile(lambda line: not line.startswith(("--- ", "ok ", "FAIL")), reversed(lines[:failed])))[::-1]
    for near in (below, above):
        if told := _asserted(near):
            return told
        said = [found for line in near if (found := _SAID.match(line)) and found["message"]]
        if said:
            best = next((found for found in said if _TELLS.search(found["message"])), said[-1])
            return Fault("FAIL", best["message"], *place_of(best))
    return None


def _asserted(lines: list[str]) -> Fault | None:
    """A failure that testify prints as a block of labelled lines."""
    at = next((i for i, line in enumerate(lines) if "Error Trace:" in line), None)
    if at is None:
        return None
    spots = [found for line in lines[at : at + 6] if (found := _TRACE.search(line) or _FRAME.match(line))]
    place = next((found for found in spots if found["file"].endswith("_test.go")), spots[0] if spots else None)
    start = next((i for i, line in enumerate(lines) if i > at and line.lstrip().startswith("Error:")), None)
    if start is None:
        return None
    more = takewhile(lambda line: re.match(r"\s+(?!Test:|Messages:|Diff:)\S", line), lines[start + 1 : start + 4])
    words = [lines[start].lstrip().removeprefix("Error:"), *more]
    return Fault("FAIL", " ".join(" ".join(words).split()), *place_of(place))
