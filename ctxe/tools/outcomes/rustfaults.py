"""Reading the first error in the output of Rust's tools: panics and rustfmt."""

from __future__ import annotations

import re
from itertools import takewhile

from ctxe.tools.outcomes.fault import PATH, Fault, first, place_of

_NEW = re.compile(rf"panicked at {PATH}:(?P<line>\d+):\d+:$")
_OLD = re.compile(rf"panicked at '(?P<message>.*)', {PATH}:(?P<line>\d+)")
_UNFORMATTED = re.compile(rf"^Diff in {PATH}:(?P<line>\d+):$")
_SIDE = re.compile(r"^\s+(?:left|right): ")
_DOCUMENTED = re.compile(rf"^---- {PATH} - .*\(line (?P<line>\d+)\) stdout ----$")


def panic(lines: list[str]) -> Fault | None:
    """A Rust panic: message after the place (before it until Rust 1.73), then the compared values."""
    for row, line in enumerate(lines):
        if match := _NEW.search(line):
            sides = takewhile(_SIDE.match, lines[row + 2 : row + 4])
            message = " ".join([*lines[row + 1 : row + 2], *(side.strip() for side in sides)])
            example = first(_DOCUMENTED.match, lines[max(0, row - 8) : row])
            return Fault("panic", message, *place_of(example or match))
        if match := _OLD.search(line):
            return Fault("panic", match["message"], *place_of(match))
    return None


def unformatted(lines: list[str]) -> Fault | None:
    """The first place that ``cargo fmt --check`` would change."""
    match = first(_UNFORMATTED.match, lines)
    return Fault("rustfmt", "would reformat", *place_of(match)) if match else None
