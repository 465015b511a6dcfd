"""Definitions, imports and sections found by patterns, for languages without a grammar and for prose."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ctxe.repo.indexing.dialects import definition

LONGEST_LINE = 400
"""Characters of a line above which it is data."""
Place = tuple[str, str, int, int, int, str]
"""(name, kind, first, head, last, scope): the fields of a Definition."""

_KINDS = {
    "class": "class object struct record contract actor mixin message table view",
    "interface": "interface trait protocol service",
    "module": "module namespace defmodule library",
    "impl": "extension impl",
    "enum": "enum",
    "type": "type typealias",
}
_KIND_OF = {word: kind for kind, words in _KINDS.items() for word in words.split()}
_MODIFIERS = """public private protected internal open abstract final sealed data static inline override suspend export
default async partial virtual readonly unsafe extern const local lateinit inner companion value
annotation expect actual operator infix tailrec external fileprivate mutating nonisolated convenience
required implicit lazy case create or replace enum record struct class fun indirect"""
_FUNCTIONS = "func fun function fn def defp defmacro sub proc method procedure rpc macro init"
_BLOCK = re.compile(
    r"[ \t]*(?:#?\[[^\]]*\]\s*)*"
    rf"(?:(?:@\w+(?:\([^)]*\))?|(?:pub|{'|'.join(_MODIFIERS.split())})(?:[(\[]\w+[)\]])?)\s+)*"
    rf"(?:(?P<type>{'|'.join(_KIND_OF)})\s+(?P<typename>[\w$]+(?:(?:\.|::|\\)[\w$]+)*)"
    rf"|(?:{'|'.join(_FUNCTIONS.split())})\b\s*(?:rec\s+|&)?(?:<[^>]*>\s*)?(?:[\w<>?,\[\] ]*\.)?"
    r"(?P<name>[\w$][\w$?!]*(?:-\w+)*)?)"
)
_MEMBER = re.compile(
    r"[ \t]+(?:(?:public|private|protected|internal|static|final|override|virtual|abstract|async|sealed|new)\s+)+"
    r"[\w<>\[\],.? ]+?\s+(?P<name>\w+)\s*(?:<[^>]*>)?\([^;]*$"
)
_IMPORT = re.compile(
    r"\s*(?:(?:local|const|var|pub|global|@\w+)\s+)*(?:\w+\s*=\s*(?=@?(?:require|import)\b))?"
    r"(?:#?import|from|using|use|require(?:_once)?|include(?:_once)?|open|alias|@import|@use|#include|load|source)\b"
    r"(?:\s+(?:static|function|const|struct|class|enum|protocol|func|type|qualified)(?=\s))?(?:\s+\w+\s*=(?!=))?"
    r"""[\s(]*(?:__DIR__\s*\.\s*)?["'<]?(?P<what>[\w./:\\@\-]+)(?:\{(?P<each>[^}]*)\})?"""
)
_SCRIPT_IMPORT = re.compile(r"""\s*(?:import|export)\b.*?["'](?P<what>[^"']+)["']""")
_PYTHON = re.compile(r"\n([ \t]*+)(?:async[ \t]+)?(def|class)[ \t]+(\w+)")
_PYTHON_IMPORT = re.compile(r"\n(import[ \t]+\w.*|from[ \t]+[\w.]+[ \t]+import[ \t]*(?:\([^)]*\)|.*))")
_HEADING = re.compile(r"(#{1,6})\s+(.+?)\s*#*$")
_UNDERLINE = re.compile(r"([=\-~^\"'`#*+.:_])\1{2,}\s*$")
_NO_CODE = frozenset(("css", "settings", "html", "make", "cmake", "docker", "sql", "markup", ""))


def definitions_by_pattern(language: str, lines: list[str]) -> Iterator[Place]:
    """Definitions found by the form of their first lines; a block ends where the indentation returns."""
    if language in _NO_CODE:
        return
    around: list[tuple[int, str]] = []
    for row, line in enumerate(lines):
        name, kind = _defined(language, line)
        if not name:
            continue
        last = _end(lines, row)
        while around and around[-1][0] < row + 1:
            around.pop()
        yield name, kind, row + 1, min(_signature(lines, row), last), last, ".".join(scope for _, scope in around)
        if last > row + 1 and kind != "function":
            around.append((last, name))


def _defined(language: str, line: str) -> tuple[str, str]:
    """(name, kind) of the definition that begins in a line; empty strings when none does."""
    if len(line) >= LONGEST_LINE:
        return "", ""
    own_form = definition(language, line)
    if own_form[0]:
        return own_form
    block = _BLOCK.match(line)
    if block and (name := block["typename"] or block["name"]):
        return name, _KIND_OF.get(block["type"] or "", "function")
    member = _MEMBER.match(line)
    return (member["name"], "method") if member else ("", "")


def _signature(lines: list[str], row: int) -> int:
    """The line (from 1) in which the parentheses opened in ``row`` are closed; at most 12 lines on."""
    depth = 0
    for place in range(row, min(row + 12, len(lines))):
        depth += lines[place].count("(") - lines[place].count(")")
        if depth <= 0:
            return place + 1
    return row + 1


def _end(lines: list[str], row: int) -> int:
    """The last line (from 1) of the block that begins in ``row``, by its indentation."""
    indent = _indent(lines[row])
    last = row
    for place in range(row + 1, len(lines)):
        word = lines[place].strip()
        if not word:
            continue
        if _indent(lines[place]) > indent or (_indent(lines[place]) == indent and word[0] in ")]{"):
            last = place
            continue
        # the closing brace or word belongs to the block
        if _indent(lines[place]) == indent and (word[0] == "}" or word.rstrip(";") in {"end", "done", "fi"}):
            last = place
        break
    return last + 1


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def imports_by_pattern(language: str, lines: list[str]) -> tuple[str, ...]:
    """The imports found in the first 400 lines by their form."""
    if language in _NO_CODE:
        return ()
    if language == "vue":
        return tuple(line.strip() for line in lines[:400] if len(line) < 300 and _SCRIPT_IMPORT.match(line))
    hits = (match for line in lines[:400] if len(line) < 300 and (match := _IMPORT.match(line)))
    return tuple(name for match in hits for name in _each(match["what"], match["each"] or ""))


def _each(module: str, names: str) -> list[str]:
    """The names that one import brings in: several may come from one ``module`` (``a.b.{C, D => E}``)."""
    return [module + name.split()[0] for name in names.split(",") if name.strip()] or [module]


def python_at_a_glance(text: str) -> Iterator[Place]:
    """Definitions of a Python text by its keywords; each ends where the next of the same or an outer level begins."""
    hits = [(len(hit[1].expandtabs()), hit[2], hit[3], hit.start()) for hit in _PYTHON.finditer("\n" + text)]
    last = text.count("\n") + 1
    rows: list[int] = []
    row, before = 1, 0
    for _, _, _, start in hits:
        row += text.count("\n", before, start)
        before = start
        rows.append(row)
    ends = [last] * len(hits)
    around: list[int] = []
    for place, (indent, _, _, _) in enumerate(hits):
        while around and hits[around[-1]][0] >= indent:
            ends[around.pop()] = max(rows[place] - 1, 1)
        around.append(place)
    scopes: list[tuple[int, str]] = []
    for place, (indent, word, name, _) in enumerate(hits):
        while scopes and scopes[-1][0] >= indent:
            scopes.pop()
        kind = "class" if word == "class" else "method" if scopes else "function"
        yield (
            name,
            kind,
            rows[place],
            rows[place],
            max(ends[place], rows[place]),
            ".".join(scope for _, scope in scopes),
        )
        scopes.append((indent, name))


def python_imports(text: str) -> list[str]:
    """The full text of every unindented import of a Python text."""
    return _PYTHON_IMPORT.findall("\n" + text)


def sections(text: str) -> Iterator[Place]:
    """Sections of a Markdown or reStructuredText file, each from its heading to the next heading."""
    lines = text.split("\n")
    heads: list[tuple[int, str]] = []
    fenced = False
    for row, line in enumerate(lines):
        if line.startswith(("```", "~~~")):
            fenced = not fenced
        elif fenced:
            continue
        elif heading := _HEADING.match(line[:300]):
            heads.append((row, heading[2]))
        elif row and _UNDERLINE.match(line[:200]) and 0 < len(above := lines[row - 1].strip()) <= len(line) + 2:
            heads.append((row - 1, above[:200]))
    for place, (row, title) in enumerate(heads):
        last = heads[place + 1][0] if place + 1 < len(heads) else len(lines)
        yield title, "section", row + 1, row + 1, max(row + 1, last), ""
