"""A text without the blocks in which nothing is defined: its grammar says the same of it, in half the time."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple


class Skeleton(NamedTuple):
    """A text whose ``blocks`` are emptied: for each the rows (from 0) of its braces."""

    text: str
    blocks: list[tuple[int, int]]


class Blocks(NamedTuple):
    """What tells the blocks of a language that define nothing.

    ``opens`` is found in the line before such a block, ``tells`` in what may define something or be no code. What
    only begins like that has a group. Each pattern begins with one certain text, to which the engine jumps.
    """

    opens: re.Pattern[str]
    tells: tuple[re.Pattern[str], ...]


LONG = 400
"""Characters above which a line begins no block that a person wrote."""
_RAW = r"`[^`\n]*(`)?"
_REMARK = re.compile(r"/\*(?:[^\n]*?(\*/)|.*?(?:\*/|\Z))", re.DOTALL)
"""A remark over several lines."""
_METHOD = r"\n[ \t]*+(?!(?:\}[ ]*)?(?:if|else|for|while|switch|catch|try|do|synchronized)\b)[^\n]*\)[^=;(){}\n]*\{"
"""Parameters and a brace, on a line that does not begin with a word of control."""


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
"""At the left margin: within a function that conditions of the preprocessor cut, its braces match nothing."""
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
    """The text with every line in its place, but those of blocks that define nothing empty."""
    blocks = BLOCKS.get(language)
    if blocks is None:
        return Skeleton(text, [])
    kept: list[str] = []
    rows: list[tuple[int, int]] = []
    row = done = 0
    for begin, end in _empty(blocks, text):
        row += text.count("\n", done, begin)
        held = text.count("\n", begin, end)
        rows.append((row, row + held + 1))
        kept += (text[done:begin], "\n" * held)
        row, done = row + held, end
    kept.append(text[done:])
    return Skeleton("".join(kept), rows)


def _empty(blocks: Blocks, text: str) -> Iterator[tuple[int, int]]:
    """Where what stands between the braces of a block begins and ends, of blocks that define nothing."""
    told = [hit.start() for one in blocks.tells for hit in one.finditer(text) if not hit.lastindex]
    told.sort()
    told.append(len(text))
    remarks = [hit.span() for hit in _REMARK.finditer(text) if not hit.lastindex]
    at = 0
    while (at := text.find("{\n", at) + 1) > 0:
        begin = text.rfind("\n", 0, at) + 1
        body = text[begin:at].lstrip()
        above = text.rfind("\n", 0, max(begin - 1, 0)) + 1 if body == "{" else begin
        if at - above > LONG or not blocks.opens.search(text[above:at]):
            continue
        found = _beyond(text[begin : at - len(body)]).search(text, at)
        if found and found.start() > at and text.startswith("}", found.end()):
            end = found.start()
            if told[bisect_left(told, at)] >= end and not (_within(remarks, at) or _within(remarks, end)):
                yield at, end
                at = end


def _within(spans: list[tuple[int, int]], at: int) -> bool:
    """Whether a place is inside one of the spans, which are in order."""
    before = bisect_left(spans, (at, 0)) - 1
    return before >= 0 and at < spans[before][1]


@lru_cache(maxsize=256)
def _beyond(indent: str) -> re.Pattern[str]:
    """Before a line that is indented no further."""
    return re.compile(rf"\n(?!{indent}[ \t]|\n){indent}")
