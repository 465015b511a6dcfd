"""Emptying the blocks of a text that define nothing, so that its grammar finds the same in half the time."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple


class Skeleton(NamedTuple):
    """A text with emptied blocks; ``blocks`` holds the rows (from 0) of the braces of each."""

    text: str
    blocks: list[tuple[int, int]]


class Blocks(NamedTuple):
    """How to recognise the blocks of a language that define nothing.

    ``opens`` matches the line that opens such a block. A match of ``tells`` inside means that the block may define
    something or is not code; it does not count when a group of it took part. Each pattern begins with a fixed text,
    to which the regex engine can jump.
    """

    opens: re.Pattern[str]
    tells: tuple[re.Pattern[str], ...]


LONG = 400
"""Characters of a line above which it does not count as the opening of a block."""
_RAW = r"`[^`\n]*(`)?"
_COMMENT = re.compile(r"/\*(?:[^\n]*?(\*/)|.*?(?:\*/|\Z))", re.DOTALL)
"""A comment over several lines; one that ends on its first line has the group."""
_METHOD = r"\n[ \t]*+(?!(?:\}[ ]*)?(?:if|else|for|while|switch|catch|try|do|synchronized)\b)[^\n]*\)[^=;(){}\n]*\{"
"""A method: parameters and a brace on a line that does not begin with a word like ``if``."""


def _blocks(opens: str, *tells: str) -> Blocks:
    return Blocks(re.compile(opens), tuple(map(re.compile, tells)))


_SCRIPT = _blocks(
    r"^(?!\s*(?:import|export\s+(?:type\s*)?\{)|\s*\{$|.*\b(?:class|extends|implements|interface|namespace|module)\b)"
    r".*[ ({\[]\{$",
    *(rf"{word}\b" for word in ("function", "class", "import", "export", "abstract")),
    *(rf"{word} [\w$]" for word in ("type", "interface", "enum", "module", "namespace")),
    r"require\(",
    r":[ ]*(?:async\b|\(|<|[\w$]+[ ]*=>|\n)",
    _METHOD,
    _RAW,
)
_FUNCTION = r"^\S.*(?:[)=]|\b(?:const|override|noexcept))[ ]*\{$|\)\n\{$"
"""Only unindented functions: preprocessor conditions inside a function may leave its inner braces unbalanced."""
_C = (
    r"\n[ \t]*#",
    r"typedef\b",
    *(rf"{word}\b(?:[^;(){{]{{0,300}}\{{|[^;(){{]{{300}})" for word in ("struct", "union", "enum")),
)
BLOCKS = {
    "javascript": _SCRIPT,
    "typescript": _SCRIPT,
    "tsx": _SCRIPT,
    "go": _blocks("", r"\n[ \t]*type\b", r"\}[^{\n]*\}[ ]*\{\n", _RAW),
    "c": _blocks(_FUNCTION, *_C),
    "cpp": _blocks(_FUNCTION, *_C, *(rf"{word}\b" for word in ("class", "using", "namespace", "template", "concept"))),
    "rust": _blocks(
        r"^(?!.*\buse\b).*(?<!::)\{$",
        *(rf"{word}\b" for word in ("fn", "struct", "enum", "union", "trait", "impl", "mod", "use", "type")),
        *(rf"{word}\b" for word in ("const", "static", "macro_rules")),
    ),
    "java": _blocks(
        r"^(?!.*\b(?:new|class|interface|enum|record)\b).*(?:[)>]|\b(?:else|do|try)|\bthrows [\w., ]+)[ ]*\{$",
        *(rf"{word}\b" for word in ("class", "interface", "enum", "record")),
        r"new [^;\n]{0,300}\{",
        _METHOD,
    ),
}


def skeleton(language: str, text: str) -> Skeleton:
    """The text with all its lines, those inside blocks that define nothing left empty."""
    blocks = BLOCKS.get(language)
    if blocks is None:
        return Skeleton(text, [])
    pieces: list[str] = []
    rows: list[tuple[int, int]] = []
    row = done = 0
    for begin, end in _empty(blocks, text):
        row += text.count("\n", done, begin)
        inner_lines = text.count("\n", begin, end)
        rows.append((row, row + inner_lines + 1))
        pieces += (text[done:begin], "\n" * inner_lines)
        row, done = row + inner_lines, end
    pieces.append(text[done:])
    return Skeleton("".join(pieces), rows)


def _empty(blocks: Blocks, text: str) -> Iterator[tuple[int, int]]:
    """(start, end) of the text between the braces of each block that defines nothing."""
    signs = [hit.start() for sign in blocks.tells for hit in sign.finditer(text) if not hit.lastindex]
    signs.sort()
    signs.append(len(text))
    comments = [hit.span() for hit in _COMMENT.finditer(text) if not hit.lastindex]
    brace = 0
    while (brace := text.find("{\n", brace) + 1) > 0:
        begin = text.rfind("\n", 0, brace) + 1
        body = text[begin:brace].lstrip()
        above = text.rfind("\n", 0, max(begin - 1, 0)) + 1 if body == "{" else begin
        if brace - above > LONG or not blocks.opens.search(text[above:brace]):
            continue
        closing = _dedent(text[begin : brace - len(body)]).search(text, brace)
        if closing and closing.start() > brace and text.startswith("}", closing.end()):
            end = closing.start()
            if signs[bisect_left(signs, brace)] >= end and not (_within(comments, brace) or _within(comments, end)):
                yield brace, end
                brace = end


def _within(spans: list[tuple[int, int]], offset: int) -> bool:
    """Whether an offset is inside one of the sorted spans."""
    before = bisect_left(spans, (offset, 0)) - 1
    return before >= 0 and offset < spans[before][1]


@lru_cache(maxsize=256)
def _dedent(indent: str) -> re.Pattern[str]:
    """A pattern for the newline before a line that is indented no deeper, with that indentation."""
    return re.compile(rf"\n(?!{indent}[ \t]|\n){indent}")
