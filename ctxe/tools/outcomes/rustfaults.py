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
    """A Rust panic: message after the place (before Rust 1.73 in front of it), then what was compared."""
    for i, line in enumerate(lines):
        if found := _NEW.search(line):
            sides = takewhile(_SIDE.match, lines[i + 2 : i + 4])
            said = " ".join([*lines[i + 1 : i + 2], *(side.strip() for side in sides)])
            example = first(_DOCUMENTED.match, lines[max(0, i - 8) : i])
            return Fault("panic", said, *place_of(example or found))
        if found := _OLD.search(line):
            return Fault("panic", found["message"], *place_of(found))
    return None


def unformatted(lines: list[str]) -> Fault | None:
    """The first place that ``cargo fmt --check`` would change."""
    found = first(_UNFORMATTED.match, lines)
    return Fault("rustfmt", "would reformat", *place_of(found)) if found else None
