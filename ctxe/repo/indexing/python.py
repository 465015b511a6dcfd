"""Reading the definitions and imports of a Python text by its logical lines, five times as fast as by its grammar."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

Raw = tuple[int, int, int, str, str]
"""(first row, last line, head line, name, kind): rows from 0, lines from 1."""

# The text is first flattened to one line for each logical line: a newline inside one becomes _FOLD, a comment "#",
# and a string or a bracket with all it holds becomes _TEXT (followed by the _FOLDs inside).
_FOLD, _TEXT = "\x01", "\x02"
_WORDS = re.compile(
    r'"""[^"\\]*(?:(?:\\.|"(?!""))[^"\\]*)*"""'
    r"|'''[^'\\]*(?:(?:\\.|'(?!''))[^'\\]*)*'''"
    r'|"[^"\\\n]*(?:\\.[^"\\\n]*)*"'
    r"|'[^'\\\n]*(?:\\.[^'\\\n]*)*'"
    r"|#[^\n]*",
    re.DOTALL,
)
_FLAT = re.compile(r"\([^][(){}\n\x01]*\)|\[[^][(){}\n\x01]*\]|\{[^][(){}\n\x01]*\}")
_DEEP = re.compile(r"\([^][(){}]*\)|\[[^][(){}]*\]|\{[^][(){}]*\}")
_MOST_NESTED = 60
_ODD = re.compile(r"""["'\t\f\v\\;\][(){}]""")
_BESIDE = re.compile(r":[ ]*(?:import|from|type|def|class|async)\b")
"""_ODD and _BESIDE find what is left to the grammar: tabs, several statements on a line, unbalanced text."""
# For speed the pattern begins with a fixed character, to which the engine jumps ("^" would stop at every character),
# and the lookahead skips most lines by their first letter.
_STATEMENT = re.compile(
    r"\n(?:(?P<indent>[ ]*+)(?=[@adctif])"
    r"(?:(?P<mark>@)|(?P<word>(?:async[ ]+)?def|class|type)[ ]+(?P<name>[^\W\d]\w*)"
    r"|(?P<import>import|from)[ \x01]+[\w.])"
    r"|(?P<constant>[^\W\d]\w*+)[ ]*(?:=(?!=)|:[^\n]*[^\n ]))"
)
_FIRST = re.compile(r"\n([ ]*)[^ \n#]")
_NO_NAMES = frozenset(("else", "try", "finally", "lambda", "print", "exec", "match", "case", "type"))


def read_python(text: str, lines: list[str]) -> tuple[list[Raw], list[str]] | None:
    """Definitions and the text of every import; None for a text that only the grammar can read."""
    if _FOLD in text or _TEXT in text:
        return None
    flat = _flat("\n" + text)
    return None if flat is None or _ODD.search(flat) or _BESIDE.search(flat) else _read(flat, lines)


def _flat(text: str) -> str | None:
    """The text as logical lines (see _FOLD), each after a newline; None when brackets do not close."""
    flat = _FLAT.sub(_TEXT, _WORDS.sub(_mark, text).replace("\\\n", _FOLD))
    for _ in range(_MOST_NESTED):
        if not ("(" in flat or "[" in flat or "{" in flat):
            return flat
        flat, replaced = _DEEP.subn(_folds, flat)
        if not replaced:
            return flat
    return None


def _mark(match: re.Match[str]) -> str:
    matched = match[0]
    if matched[0] == "#":
        return "#"
    return _TEXT + _FOLD * matched.count("\n") if "\n" in matched else _TEXT


def _folds(match: re.Match[str]) -> str:
    matched = match[0]
    return _TEXT + _FOLD * (matched.count("\n") + matched.count(_FOLD))


def _read(flat: str, lines: list[str]) -> tuple[list[Raw], list[str]] | None:
    raw: list[Raw] = []
    imports: list[str] = []
    row, offset = 0, 1
    marked = -1
    for statement in _STATEMENT.finditer(flat):
        begin = statement.start() + 1
        row += flat.count("\n", offset, begin) + flat.count(_FOLD, offset, begin)
        offset = begin
        if statement["mark"]:
            marked = row if marked < 0 else marked
            continue
        if statement["import"]:
            imports += _imported(flat, begin, row, lines)
        elif statement["word"] in ("type", None):
            raw += _value(flat, statement, row)
        elif (place := _block(flat, statement, row)) is None:
            return None
        else:
            head, last = place
            kind = "class" if statement["word"] == "class" else "function"
            raw.append((row if marked < 0 else marked, last, head, statement["name"], kind))
        marked = -1
    return raw, imports


def _line_end(flat: str, offset: int) -> int:
    end = flat.find("\n", offset)
    return len(flat) if end < 0 else end


def _imported(flat: str, begin: int, row: int, lines: list[str]) -> Iterator[str]:
    """The text of the import in ``row`` (from 0), without a comment at its end; nothing for ``__future__``."""
    last = row + flat.count(_FOLD, begin, _line_end(flat, begin))
    imported = "\n".join(lines[row : last + 1]).strip()
    tail = imported.rpartition("\n")[2].partition("#")[0].rstrip()
    imported = imported[: len(imported) - len(imported.rpartition("\n")[2])] + tail
    if not re.match(r"from\s+__future__\b", imported):
        yield imported


def _value(flat: str, statement: re.Match[str], row: int) -> Iterator[Raw]:
    """The constant or the type alias that ``statement`` begins, if it is one."""
    begin = statement.start() + 1
    end = _line_end(flat, begin)
    name = statement["constant"]
    if name in _NO_NAMES or (name is None and flat[statement.end() : end].lstrip(" ")[:1] != "="):
        return
    name, kind = (name, "constant") if name else (statement["name"], "type")
    yield row, row + 1 + flat.count(_FOLD, begin, end), row + 1, name, kind


def _block(flat: str, statement: re.Match[str], row: int) -> tuple[int, int] | None:
    """(line in which the signature ends, last line) of a function or class; None when its colon is missing."""
    begin, end = statement.start() + 1, _line_end(flat, statement.start() + 1)
    colon = flat.find(":", statement.end(), end)
    if colon < 0:
        return None
    next_statement = _dedent(len(statement["indent"])).search(flat, end)
    stop = next_statement.start() + 1 if next_statement else len(flat)
    last = _last(flat, end, stop)
    return (
        row + 1 + flat.count(_FOLD, begin, colon),
        row + 1 + flat.count("\n", begin, last) + flat.count(_FOLD, begin, last),
    )


def _last(flat: str, head: int, stop: int) -> int:
    """The offset where the last line of a block ends: its body begins at ``head``, the next statement at ``stop``.

    Comments after its last statement belong to it as long as they are indented like its first line, or deeper.
    """
    last = stop
    while last > head:
        start = flat.rfind("\n", 0, last - 1) + 1
        if (content := flat[start:last].strip()) and content[0] != "#":
            break
        last = start
    if last < stop and (first := _FIRST.search(flat, head, last)):
        for line in flat[last:stop].split("\n"):
            if line.strip():
                if len(line) - len(line.lstrip(" ")) < len(first[1]):
                    break
                last = flat.index(line, last) + len(line) + 1
    return last - 1 if last > head else head


@cache
def _dedent(indent: int) -> re.Pattern[str]:
    """A pattern for the newline before a statement that is indented no deeper."""
    return re.compile(rf"\n[ ]{{0,{indent}}}[^ \n#]")
