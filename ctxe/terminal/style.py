"""The palette, and the styled lines that everything on the screen is made of."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

from ctxe.domain.pattern import pattern
from ctxe.safety.display import visible

Span = tuple[str, str]
Line = tuple[Span, ...]
"""Clean text in pieces, each with a style of the palette (empty: none), without newlines."""

# SGR parameters (ECMA-48) of the 16 colours that every theme defines, so that light and dark backgrounds work.
PALETTE = {
    "": "",
    "dim": "2",
    "strong": "1",
    "emphasis": "3",
    "accent": "36",
    "good": "32",
    "warn": "33",
    "bad": "31",
    "add": "32",
    "remove": "31",
    "title": "1;36",
    "system": "34",
    "task": "35",
    "memory": "32",
    "injected": "33",
    "recent": "36",
    "older": "31",
}

GLYPHS = {
    "call": ("●", "*"),
    "user": ("›", ">"),
    "rest": ("…", "..."),
    "dot": ("·", "-"),
    "arrow": ("→", "->"),
    "fold": ("⇲", "~"),
    "record": ("✎", "+"),
    "wait": ("↻", "~"),
    "full": ("█", "#"),
    "empty": ("░", "."),
    "rule": ("─", "-"),
    "about": ("≈", "~"),
    "stop": ("■", "!"),
}

_COLOR = pattern(r"(\x1b\[[\d;]{0,40}m)")


def glyph(name: str, unicode: bool) -> str:
    """An ornament by name, in ASCII if the screen has nothing else."""
    return GLYPHS[name][0 if unicode else 1]


def clean(text: str) -> str:
    """Outside text as one line without control characters: line ends become spaces, tabs four spaces."""
    if text.isascii() and text.isprintable():
        return text
    return visible(re.sub(r"\s*[\r\n\x0b\x0c\x85\u2028\u2029]\s*", " ", text).replace("\t", "    "))


def only_colors(text: str, color: bool) -> str:
    """Drawn text with all control sequences removed except colours, if ``color`` allows them.

    Drawn text should be clean already; this catches a title or path that was put into a message without cleaning.
    """
    if text.isascii() and text.replace("\n", "").isprintable():
        return text
    if not color:
        return visible(text)
    return "".join(part if at % 2 else visible(part) for at, part in enumerate(_COLOR.split(text)))


def line(*parts: str | Span) -> Line:
    """A line from pieces; a bare string has no style. Every piece is cleaned, so raw text may be passed."""
    spans = ((part, "") if isinstance(part, str) else part for part in parts)
    return tuple((clean(text), style) for text, style in spans if text)


def lines(text: str, style: str = "") -> list[Line]:
    """Outside text of several lines, cleaned; a final newline makes no empty line."""
    return [line((row, style)) for row in text.replace("\r\n", "\n").removesuffix("\n").split("\n")]


_WIDENS = "\ufe0f"
"""It asks for the letter before it to be drawn as an emoji: many terminals then take two columns for ⚠ and ℹ."""


def _columns(letter: str) -> int:
    """Columns of one character: 0 for combining and format characters, 2 for East Asian wide ones (UAX 11)."""
    if letter == _WIDENS:
        return 1
    if unicodedata.category(letter) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(letter) in ("W", "F") else 1


def cells(text: str) -> int:
    """Terminal columns of clean text; an upper bound for emoji sequences that some terminals join."""
    return len(text) if text.isascii() else sum(map(_columns, text))


def width(spans: Line) -> int:
    """Terminal columns of a line."""
    return cells(spans[0][0]) if len(spans) == 1 else sum([cells(text) for text, _ in spans])


def _cut(text: str, room: int) -> str:
    """The longest prefix of ``text`` that takes at most ``room`` columns."""
    if text.isascii():
        return text[: max(0, room)]
    taken = 0
    for index, letter in enumerate(text):
        taken += _columns(letter)
        if taken > room:
            return text[:index]
    return text


def clip(spans: Line, room: int | None, unicode: bool = True) -> Line:
    """The line in at most ``room`` columns (None: no limit), ending in an ellipsis if it was cut."""
    if room is None or width(spans) <= room:
        return spans
    mark = "…" if unicode else "~"
    kept: list[Span] = []
    left = max(0, room - 1)
    for text, style in spans:
        piece = _cut(text, left)
        kept.append((piece, style))
        left -= cells(piece)
        if piece != text:
            break
    return (*kept, (mark, "dim")) if room > 0 else ()


def wrap(spans: Line, room: int | None) -> list[Line]:
    """The line in rows of at most ``room`` columns (at least 1), broken anywhere."""
    if room is None or width(spans) <= room:
        return [spans]
    rows: list[list[Span]] = [[]]
    left = room = max(1, room)
    for text, style in spans:
        rest = text
        while rest:
            piece = _cut(rest, left)
            if not piece and left == room:
                piece = rest[0]  # a wide letter in a window of one column is shown, not lost
            rest = rest[len(piece) :]
            left -= cells(piece)
            if piece:
                rows[-1].append((piece, style))
            if rest:
                rows.append([])
                left = room
    return [tuple(row) for row in rows]


def fold(spans: Line, room: int | None, indent: str = "") -> list[Line]:
    """Like ``wrap``, but broken between words where possible; further rows start with ``indent``."""
    if room is None or width(spans) <= room:
        return [spans]
    lead = indent if room - cells(indent) >= 2 else ""  # even a wide letter must fit beside it
    inner = room - cells(lead)
    rows: list[list[Span]] = [[]]
    left = room
    for word, style in _words(spans):
        rest = word
        if cells(rest.rstrip()) > left and (left <= 0 or cells(rest.rstrip()) <= inner):
            rows.append([(lead, "")])
            left, rest = inner, rest.lstrip()
        while cells(rest.rstrip()) > left:
            piece = _cut(rest, left) or (rest[0] if left >= inner else "")  # a wide letter goes to the next row
            rows[-1].append((piece, style))
            rest = rest[len(piece) :]
            rows.append([(lead, "")])
            left = inner
        rows[-1].append((rest, style))
        left -= cells(rest)
    return [_trimmed(row) for row in rows]


def _words(spans: Line) -> Iterable[Span]:
    """The pieces of a line, split after each run of whitespace."""
    for text, style in spans:
        for word in re.findall(r"\s*\S+\s*|\s+", text):
            yield word, style


def _trimmed(row: Sequence[Span]) -> Line:
    """The row without empty pieces and trailing whitespace."""
    spans = [span for span in row if span[0]]
    if spans:
        spans[-1] = (spans[-1][0].rstrip(), spans[-1][1])
    return tuple(span for span in spans if span[0])


def paint(spans: Line, color: bool) -> str:
    """A line as text; the only place that writes colour sequences."""
    if not color:
        return clean("".join([text for text, _ in spans]))
    return "".join(
        f"\x1b[{PALETTE[style]}m{clean(text)}\x1b[0m" if PALETTE[style] and text else clean(text)
        for text, style in spans
    )
