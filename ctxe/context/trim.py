"""The first rung of the ladder: long tool output is cut the moment it is born, and the whole stays under a handle.

What a result shows is decided once and never again, so it costs nothing in cache. Shapes follow what is looked for:
a file is read from its top, a command ends with its outcome, and a line that says "error" is worth more than its place.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Literal

from ctxe.context.listing import bare
from ctxe.context.repeats import without_repeats
from ctxe.context.tokens import Count
from ctxe.domain.pattern import pattern
from ctxe.domain.section import digest
from ctxe.domain.value import dataclass

Kind = Literal["read", "shell", "search", "recalled", "page", "other"]

LINE_CHARS = 2_000
"""No line of many is shown longer than this; longer ones are data or minified code."""

SCAN_CHARS = 64
"""Characters per allowed token that are looked at on each side: bounds the work on a 50 MB output."""


@dataclass(frozen=True, slots=True)
class Trimmed:
    """A tool output as the model sees it. ``handle`` brings the whole back; it is empty when nothing was left out."""

    text: str
    handle: str = ""

    @property
    def cut(self) -> bool:
        """True when something was left out."""
        return bool(self.handle)


@dataclass(frozen=True, slots=True)
class TrimShape:
    """Which parts of a long output survive, as shares of its room: its head, its tail, loud lines in between."""

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
"""Of a cut output's room, what lines that bear on the work may take from its shape; a page's all of it."""

Near = Callable[[Sequence[str]], Sequence[float]]
"""How near each line is to what the session works with; 0 where it is not."""


def nothing_near(lines: Sequence[str]) -> Sequence[float]:
    """Nobody works with anything."""
    return [0.0] * len(lines)


_ESCAPE = pattern(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[PX^_][^\x1b]*\x1b\\|[@-Z\\-_])")
_LOUD = pattern(r"error|exception|fail|fatal|panic|traceback|cannot |not found|undefined|assert", re.IGNORECASE)
_FOUND = pattern(r"([^\s:]*[./][^\s:]*?)[:-]\d+[:-]")
_BELOW = pattern(r"\s*(?:[Ll]ine )?\d+[:-]|\s|--$")


def handle_of(text: str) -> str:
    """The handle under which a text is kept: the first 8 digits of its content hash."""
    return digest(text)[:8]


def trim(text: str, kind: Kind, limit: int, count: Count, handle: str = "", bearing: Near = nothing_near) -> Trimmed:
    """At most ``limit`` tokens of a tool output, cut between lines by the shape of its kind and by what it is
    ``bearing`` on.

    ``handle`` is by what the whole is had, its content hash when nothing else is said.
    A marker stands where lines are missing and names the handle of the whole; a limit smaller than the marker gives
    the marker alone. Reads keep what their lines say; other kinds lose repeats and progress first.
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
        keep = _spread(capped, chars) if kind == "search" else _keep(capped, chars, kind, marks)
        shown = _render(capped, keep, hidden, handle, gaps=kind != "search")
        if chars <= 0 or fits(shown, limit, count):
            return Trimmed(shown, handle)
        chars = min(chars - 1, int(0.97 * chars * limit / count(shown)))


def fits(text: str, limit: int, count: Count) -> bool:
    """True when a text is at most ``limit`` tokens; counts only when its size leaves a doubt (a token has a byte)."""
    return len(text) * 4 <= limit or count(text) <= limit


def _tidied(text: str, kind: Kind, handle: str) -> tuple[list[str], bool]:
    """The lines of a text without escape codes, its listings bare, and but in a file without progress and repeats.

    And whether some were passed over, which ``handle`` brings back. What was recalled loses escape codes only.
    """
    text = _ESCAPE.sub("", text) if "\x1b" in text else text
    text = text if kind in ("recalled", "page") else bare(text)
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
    """The text's two ends of ``chars`` characters each, and how many lines between them are not looked at (or 0)."""
    if len(text) <= 2 * chars + LINE_CHARS:
        return text, 0
    hidden = 1 + text.count("\n", chars, len(text) - chars)
    return f"{text[:chars]}\n[{hidden:,} lines left out]\n{text[-chars:]}", hidden


def _keep(lines: Sequence[str], chars: int, kind: Kind, marks: Sequence[float]) -> list[int]:
    """Indexes of the lines to show, rising, in about ``chars`` characters: the nearest, then what the shape has."""
    shape = SHAPES[kind]
    if sum(len(line) + 1 for line in lines) <= chars + 1:
        return list(range(len(lines)))
    nearest = sorted((i for i, mark in enumerate(marks) if mark), key=lambda i: -marks[i])
    kept = set(_take(nearest, lines, chars if kind == "page" else int(chars * BEARING)))
    if kind == "page" and any(0 < mark <= 1 for mark in marks):
        return sorted(kept)  # the rest of it is about something else
    chars -= sum(len(lines[i]) + 1 for i in kept)
    rest = [i for i in range(len(lines)) if i not in kept]
    head = _take(rest, lines, int(chars * shape.head))
    tail = _take(rest[: len(head) - 1 : -1] if head else rest[::-1], lines, int(chars * shape.tail))
    between = rest[len(head) : len(rest) - len(tail)]
    loud = _take((i for i in between if _LOUD.search(lines[i])), lines, int(chars * shape.loud))
    return sorted({*kept, *head, *tail, *loud})


def _spread(lines: Sequence[str], chars: int) -> list[int]:
    """Of what a search found the first line of every file before anything else: rising, in about ``chars``."""
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
    """Whether a line of a search stands below the name of its file and does not say it itself."""
    return bool(_BELOW.match(line)) and not _FOUND.match(line)


def _take(order: Iterable[int], lines: Sequence[str], chars: int) -> list[int]:
    taken: list[int] = []
    for index in order:
        chars -= len(lines[index]) + 1
        if chars < 0:
            break
        taken.append(index)
    return taken


def _render(lines: Sequence[str], keep: Sequence[int], hidden: int, handle: str, *, gaps: bool) -> str:
    """The kept lines with a marker in each gap, or one for all of them behind; the first names the handle."""
    shown: list[str] = []
    told = False
    for index, nearest in zip([*keep, len(lines)], [-1, *keep], strict=True):
        missing = index - nearest - 1 if gaps else (len(lines) - len(keep)) * (index == len(lines))
        if missing:
            more = f"at least {missing + hidden:,}" if hidden else f"{missing:,}"
            what = f"{more} lines left out" if gaps else f"{more} more lines"
            shown.append(f"[{missing:,} lines left out]" if told else f"[{what}; recall {handle}]")
            told = True
        if index < len(lines):
            shown.append(lines[index])
    if not told:
        shown.append(f"[shortened; recall {handle}]")
    return "\n".join(shown)
