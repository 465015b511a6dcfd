"""Reading the first error in the output of Go tests."""

from __future__ import annotations

import re
from itertools import takewhile

from ctxe.tools.outcomes.fault import PATH, Fault, place_of

_MESSAGE = re.compile(rf"^\s+{PATH}:(?P<line>\d+): ?(?P<message>.*)$")
_FAILURE_WORD = re.compile(
    r"want|got\b|expect|should|must|fail|error|unexpected|mismatch|\bnil\b|invalid|\bnot\b|wrong|differ|timeout|missing",
    re.IGNORECASE,
)
"""Words of a line that reports a failure, which are rare in a line that a test only logs."""
_TRACE = re.compile(rf"Error Trace:\s+{PATH}:(?P<line>\d+)")
_FRAME = re.compile(rf"^\s+{PATH}:(?P<line>\d+)(?: \+0x[0-9a-f]+)?$")
_FOREIGN = ("/usr/local/go/", "/libexec/src/", "/pkg/mod/", "/go/src/", "testing.go")


def go_panic(lines: list[str]) -> Fault | None:
    """A Go panic, or a data race: the message, and the first frame of the project."""
    row = next((index for index, line in enumerate(lines) if line.startswith(("panic: ", "WARNING: DATA RACE"))), None)
    if row is None or not any(line.startswith(("goroutine ", "WARNING: DATA RACE")) for line in lines[row : row + 40]):
        return None
    frames = (frame for line in lines[row : row + 80] if (frame := _FRAME.match(line)))
    own_frame = next((frame for frame in frames if not any(place in frame["file"] for place in _FOREIGN)), None)
    kind, _, message = lines[row].partition(": ")
    text = message.removesuffix(" [recovered]")
    kind, text = (kind, text) if kind == "panic" else ("DATA RACE", "race detected")
    return Fault(kind, text, *place_of(own_frame))


def go_test(lines: list[str]) -> Fault | None:
    """The message of the first failed Go test: below its line, or above it with ``-v``."""
    failed = next((row for row, line in enumerate(lines) if line.lstrip().startswith("--- FAIL:")), None)
    if failed is None:
        return None
    below = list(takewhile(lambda line: not line.startswith(("FAIL", "ok ", "=== ", "--- ")), lines[failed + 1 :]))
    above = list(takewhile(lambda line: not line.startswith(("--- ", "ok ", "FAIL")), reversed(lines[:failed])))[::-1]
    for section in (below, above):
        if fault := _asserted(section):
            return fault
        messages = [match for line in section if (match := _MESSAGE.match(line)) and match["message"]]
        if messages:
            best = next((match for match in messages if _FAILURE_WORD.search(match["message"])), messages[-1])
            return Fault("FAIL", best["message"], *place_of(best))
    return None


def _asserted(lines: list[str]) -> Fault | None:
    """A failure that testify prints as a block of labelled lines."""
    row = next((index for index, line in enumerate(lines) if "Error Trace:" in line), None)
    if row is None:
        return None
    places = [match for line in lines[row : row + 6] if (match := _TRACE.search(line) or _FRAME.match(line))]
    place = next((match for match in places if match["file"].endswith("_test.go")), places[0] if places else None)
    start = next(
        (index for index, line in enumerate(lines) if index > row and line.lstrip().startswith("Error:")), None
    )
    if start is None:
        return None
    further_lines = takewhile(
        lambda line: re.match(r"\s+(?!Test:|Messages:|Diff:)\S", line), lines[start + 1 : start + 4]
    )
    message_lines = [lines[start].lstrip().removeprefix("Error:"), *further_lines]
    return Fault("FAIL", " ".join(" ".join(message_lines).split()), *place_of(place))
