"""The content of a step as entries of verbatim lines: one entry per call, remark or user message.

Records are chosen from these. Nothing is reworded: a line is a line of the original, and the names in it are what later
actions may have to spell exactly.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from sys import intern
from typing import Literal

from ctxe.context.calls import CallArguments, kind_of, parse_arguments
from ctxe.context.listing import strip_padding
from ctxe.context.trim import Kind
from ctxe.domain.conversation import Step, ToolCall, ToolResult
from ctxe.domain.pattern import pattern
from ctxe.domain.value import dataclass

Origin = Literal["words", "remark", "answer", "asked", "written", "replaced", "result"]
"""Who wrote a line: the user; the model in a remark beside calls, in an answer without calls (a delegate's, too), or in
the arguments of a call (what it asks for, puts in, takes out); a tool.
"""

# Anchored to a word's start: otherwise a long word without a slash is scanned again from each of its letters.
_PATH = pattern(r"(?:~|(?<![\w.@+\-]))[\w.@+\-]*(?:/[\w.@+\-]+)+")
_NAME = pattern(r"(?<!\w)(?=\w{6})_*(?:[A-Za-z][A-Za-z0-9]*_+[A-Za-z0-9]|[A-Za-z](?=\w*[a-z])\w*[A-Z])\w*")
_NUMBERED = pattern(r"\s*(?:[\w./@+\-]+[:-]\d+[:-]|L?\d+\s*[:→|│\t]|\d+\.(?=\s))\s?")
_DIGITS = pattern(r"[0-9]+")
_FAILED = pattern(r"exit(?:ed with)?(?:[ _]?code)?\"?[: ]+[1-9]|^(?:Error|Traceback|fatal:)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Line:
    """One verbatim line with the names in it. ``core`` is the line without indentation, line number and diff sign."""

    text: str
    origin: Origin
    core: str
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class HistoryEntry:
    """One action or message: its step (counted from 1 over the session), its origin, subject and outcome.

    ``what`` is the tool's name, "said" (the model) or "user". ``title`` is what was asked for (a path, a command),
    verbatim, one string per line; ``path`` is the file it is about.
    """

    step: int
    what: str
    title: tuple[str, ...] = ()
    path: str = ""
    kind: Kind = "other"
    ok: bool = True
    is_edit: bool = False
    lines: tuple[Line, ...] = ()


DELEGATE = "delegate"
"""The tool whose result is an answer, like the model's own to the user."""

NOTES = frozenset(("find_tools", "recall", "record_failure", "remember", "update_todo", "use"))
"""Tools whose texts may name files without being about one."""

Whole = Callable[[ToolResult], str]
"""Returns the whole text of a result that was trimmed."""


def names_in(text: str) -> tuple[str, ...]:
    """Paths of 5 or more characters, and identifiers of 6 or more with an underscore or inner capital, each once."""
    found = dict.fromkeys(map(intern, _NAME.findall(text)))
    if "/" in text:
        found.update(dict.fromkeys(p for path in _PATH.findall(text) if len(p := path.rstrip(".-")) >= 5))
    return tuple(found)


def core_of(text: str) -> str:
    """What a line says wherever it stands: without the prefix of a listing, a search result or a diff."""
    core = text[found.end() :] if (found := _NUMBERED.match(text)) else text
    return (core[1:] if core[:1] in {"+", "-"} and len(core) > 1 else core).strip()


def number_of(text: str) -> int | None:
    """The line number that a listing or search result shows; None without one."""
    found = _NUMBERED.match(text)
    return int(_DIGITS.findall(found[0])[-1]) if found else None


def lines_in(text: str, origin: Origin) -> Iterator[Line]:
    """The lines of a text that are not blank."""
    for line in text.splitlines():
        if line and not line.isspace():
            yield _line(strip_padding(line), origin)


@lru_cache(maxsize=1 << 15)
def _line(text: str, origin: Origin) -> Line:
    """Cached so that equal lines share one object: files are read again, and searches find what was read."""
    return Line(text, origin, core_of(text), names_in(text))


def entries_of(step: Step, number: int, whole: Whole) -> Iterator[HistoryEntry]:
    """The entries of a step: its remark and its calls, in order; a patch gives one entry per file."""
    if step.reply.text.strip():
        origin: Origin = "remark" if step.reply.calls else "answer"
        yield HistoryEntry(number, "said", lines=tuple(lines_in(step.reply.text, origin)))
    for call, result in zip(step.reply.calls, step.results, strict=True):
        yield from _entries(call, result, number, whole(result))


def _entries(call: ToolCall, result: ToolResult, number: int, text: str) -> Iterator[HistoryEntry]:
    """The entry of a call, and one for each further file of a patch."""
    asked = parse_arguments(call.arguments)
    ok = result.ok and not _FAILED.search(text[:400])
    if ok and call.name == DELEGATE:
        yield HistoryEntry(number, call.name, asked.title, lines=tuple(lines_in(text, "answer")))
        return
    kind = kind_of(call.name, asked)
    own, *others = asked.patches or (("", ""),)
    path = "" if call.name in NOTES else _path_of(asked, result) or own[0]
    lines = [line for value in asked.values.values() for line in lines_in(value, "asked")]
    lines += [line for value in asked.removed for line in lines_in(value, "replaced")]
    lines += [line for value in (*asked.added, *own) for line in lines_in(value, "written")]
    lines += lines_in(text, "result")
    title = asked.title or own[:1]
    is_edit = asked.is_edit and call.name not in NOTES
    yield HistoryEntry(number, call.name, title, path, kind, ok, is_edit, tuple(lines))
    for patched, change in others:
        written = tuple(line for value in (patched, change) for line in lines_in(value, "written"))
        yield HistoryEntry(number, call.name, (patched,), patched, kind, ok, is_edit=True, lines=written)


def _path_of(asked: CallArguments, result: ToolResult) -> str:
    return result.touches[0].path if result.touches else path_of_call(asked)


def path_of_call(asked: CallArguments) -> str:
    """The file the arguments name: under a usual key, else the first string that looks like a file; empty without."""
    if asked.path:
        return asked.path
    named = (str(path) for value in asked.values.values() for path in _PATH.findall(value))
    return next((path for path in named if "." in path.rpartition("/")[2]), "")
