"""Trims long tool output when it arrives; a handle recalls the whole.

What a result shows is decided once, so the prompt cache stays valid. Shapes follow what is looked for: a file is read
from its top, a command ends with its outcome, and a line that says "error" matters wherever it stands.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Literal

from ctxe.context.listing import strip_listings
from ctxe.context.repeats import without_repeats
from ctxe.context.tokens import Count
from ctxe.domain.pattern import pattern
from ctxe.domain.section import digest
from ctxe.domain.value import dataclass

Kind = Literal["read", "shell", "search", "recalled", "page", "other"]

LINE_CHARS = 2_000
"""Longest line shown among many; longer ones are data or minified code."""

SCAN_CHARS = 64
"""Characters scanned per allowed token at each end of a text: bounds the work on a 50 MB output."""


@dataclass(frozen=True, slots=True)
class Trimmed:
    """A tool output as the model sees it. ``handle`` recalls the whole; it is empty when nothing was left out."""

    text: str
    handle: str = ""

    @property
    def is_cut(self) -> bool:
        """True when something was left out."""
        return bool(self.handle)


@dataclass(frozen=True, slots=True)
class TrimShape:
    """How the room of a long output is shared: between its head, its tail, and lines about errors in between."""

    head: float
    tail: float
    loud: float = 0.0


SHAPES: dict[Kind, TrimShape] = {
    "read": TrimShape(1.0, 0.0),
    "search": TrimShape(1.0, 0.0),
    "recalled": TrimShape(1.0, 0.0),
    "page": TrimShape(1.0, 0.0),
    "shell": TrimShape(0.25, 0.5, 0.25),
    "other": TrimShape(0.6, 0.4),
}

BEARING = 0.4
"""Part of a cut output's room for lines near the current work, before the shape applies; a page has all of it for them.
"""

LineScorer = Callable[[Sequence[str]], Sequence[float]]
"""Scores each line by how near it is to what the session works with; 0 where it is not."""


def score_nothing(lines: Sequence[str]) -> Sequence[float]:
    """Scores every line 0: nothing is being worked on."""
    return [0.0] * len(lines)


_ESCAPE = pattern(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[PX^_][^\x1b]*\x1b\\|[@-Z\\-_])")
_LOUD = pattern(r"error|exception|fail|fatal|panic|traceback|cannot |not found|undefined|assert", re.IGNORECASE)
_FOUND = pattern(r"([^\s:]*[./][^\s:]*?)[:-]\d+[:-]")
_BELOW = pattern(r"\s*(?:[Ll]ine )?\d+[:-]|\s|--$")


def handle_of(text: str) -> str:
    """The handle under which a text is kept: the first 8 digits of its content hash."""
    return digest(text)[:8]


def trim(
    text: str, kind: Kind, limit: int, count: Count, handle: str = "", bearing: LineScorer = score_nothing
) -> Trimmed:
    """At most ``limit`` tokens of a tool output, cut between lines by its kind's shape and the scores of ``bearing``.

    ``handle`` recalls the whole (default: its content hash). A marker that names it replaces missing lines; a limit
    smaller than the marker gives the marker alone. Reads keep their lines as they are; other kinds lose repeats and
    progress first.
    """
    near, hidden = _bounded(text, SCAN_CHARS * max(limit, 1))
    handle = handle or handle_of(text)
    lines, passed_over = _tidied(near, kind, handle)
    longest = max(LINE_CHARS, 2 * limit // len(lines))
    capped = [_cap(line, longest) for line in lines]
    whole = "\n".join(capped)
    if not hidden and capped == lines and fits(whole, limit, count):
        return Trimmed(whole, handle if passed_over else "")
    chars = len(whole) if fits(whole, limit, count) else limit * len(whole) // max(1, count(whole))
    marks = bearing(capped)
    while True:
        if kind == "search":
            shown = _with_count(capped, _spread(capped, chars), hidden, handle)
        else:
            shown = _with_gaps(capped, _keep(capped, chars, kind, marks), hidden, handle)
        if chars <= 0 or fits(shown, limit, count):
            return Trimmed(shown, handle)
        chars = min(chars - 1, int(0.97 * chars * limit / count(shown)))


def fits(text: str, limit: int, count: Count) -> bool:
    """True when a text has at most ``limit`` tokens. A short text is not counted: a token has at least one byte."""
    return len(text) * 4 <= limit or count(text) <= limit


def _tidied(text: str, kind: Kind, handle: str) -> tuple[list[str], bool]:
    """The lines of a text without escape codes, and whether some were dropped, which ``handle`` recalls.

    Listings lose their padding, and all but files lose progress and repeats. Recalled text and pages lose escape codes
    only.
    """
    text = _ESCAPE.sub("", text) if "\x1b" in text else text
    text = text if kind in ("recalled", "page") else strip_listings(text)
    if kind in ("read", "recalled", "page"):
        return text.split("\n"), False
    lines = [line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n")]
    return without_repeats(lines, handle)


def _cap(line: str, longest: int) -> str:
    if len(line) <= longest:
        return line
    head, tail = line[: longest * 3 // 4], line[-longest // 8 :]
    return f"{head} [{len(line) - len(head) - len(tail):,} characters left out] {tail}"


def _bounded(text: str, chars: int) -> tuple[str, int]:
    """The two ends of a text, ``chars`` characters each, and the number of lines between them (0: nothing is cut)."""
    if len(text) <= 2 * chars + LINE_CHARS:
        return text, 0
    hidden = 1 + text.count("\n", chars, len(text) - chars)
    return f"{text[:chars]}\n[{hidden:,} lines left out]\n{text[-chars:]}", hidden


def _keep(lines: Sequence[str], chars: int, kind: Kind, marks: Sequence[float]) -> list[int]:
    """Indexes of the lines to show, ascending, in about ``chars`` characters: the nearest first, then by the shape."""
    shape = SHAPES[kind]
    if sum(len(line) + 1 for line in lines) <= chars + 1:
        return list(range(len(lines)))
    nearest = sorted((i for i, mark in enumerate(marks) if mark), key=lambda i: -marks[i])
    kept = set(_take(nearest, lines, chars if kind == "page" else int(chars * BEARING)))
    if kind == "page" and any(0 < mark <= 1 for mark in marks):
        return sorted(kept)  # the rest of the page is about something else
    chars -= sum(len(lines[i]) + 1 for i in kept)
    rest = [i for i in range(len(lines)) if i not in kept]
    head = _take(rest, lines, int(chars * shape.head))
    tail = _take(rest[: len(head) - 1 : -1] if head else rest[::-1], lines, int(chars * shape.tail))
    between = rest[len(head) : len(rest) - len(tail)]
    loud = _take((i for i in between if _LOUD.search(lines[i])), lines, int(chars * shape.loud))
    return sorted({*kept, *head, *tail, *loud})


def _spread(lines: Sequence[str], chars: int) -> list[int]:
    """Indexes of results to show, ascending, in about ``chars`` characters; each file's first result has priority."""
    if sum(len(line) + 1 for line in lines) <= chars + 1:
        return list(range(len(lines)))
    firsts: dict[str, int] = {}
    for index, line in enumerate(lines):
        found = _FOUND.match(line)
        if not is_below(line):
            firsts.setdefault(found[1] if found else line, index)
    named = _take(firsts.values(), lines, chars)
    left = chars - sum(len(lines[index]) + 1 for index in named)
    rest = sorted(set(range(len(lines))).difference(named))
    return sorted([*named, *_take(rest, lines, left)])


def is_below(line: str) -> bool:
    """True when a line of search output belongs to a file named above it."""
    return bool(_BELOW.match(line)) and not _FOUND.match(line)


def _take(order: Iterable[int], lines: Sequence[str], chars: int) -> list[int]:
    """The first indexes of ``order`` whose lines fit ``chars`` characters."""
    taken: list[int] = []
    for index in order:
        chars -= len(lines[index]) + 1
        if chars < 0:
            break
        taken.append(index)
    return taken


def _with_count(lines: Sequence[str], keep: Sequence[int], hidden: int, handle: str) -> str:
    """The kept lines, then one marker with the handle and the number of missing lines."""
    missing = len(lines) - len(keep)
    marker = f"{_number(missing, hidden)} more lines" if missing else "shortened"
    return "\n".join([*(lines[index] for index in keep), f"[{marker}; recall {handle}]"])


def _with_gaps(lines: Sequence[str], keep: Sequence[int], hidden: int, handle: str) -> str:
    """The kept lines with a marker in each gap; the first marker names the handle."""
    shown: list[str] = []
    named = False
    for index, before in zip([*keep, len(lines)], [-1, *keep], strict=True):
        if missing := index - before - 1:
            first = f"[{_number(missing, hidden)} lines left out; recall {handle}]"
            shown.append(f"[{missing:,} lines left out]" if named else first)
            named = True
        if index < len(lines):
            shown.append(lines[index])
    return "\n".join(shown if named else [*shown, f"[shortened; recall {handle}]"])


def _number(missing: int, hidden: int) -> str:
    """The number of missing lines as text; a lower bound when ``hidden`` lines were not scanned."""
    return f"at least {missing + hidden:,}" if hidden else f"{missing:,}"
