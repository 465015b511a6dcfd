"""What a step holds, taken apart: one entry a call (or remark, or message of the user), made of verbatim lines.

This is what records are chosen from. Nothing here is reworded: a line is a line of the original, and the names in it
are what later actions may need to spell exactly.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ctxe.domain.conversation import Conversation, Position, Step, ToolCall, ToolResult

Origin = Literal["words", "remark", "asked", "written", "replaced", "result"]
"""Who wrote a line: the user, the model in its reply or in a call (what it asks for, puts in, takes out), a tool."""

SHORT = 200
"""Characters up to which an argument of one line says what is asked for; longer ones are contents."""

PATH_KEYS = ("path", "file_path", "filePath", "file", "filename", "notebook_path", "dirPath", "target_file")
TAKEN_OUT = frozenset({"old", "old_str", "old_string", "oldString", "old_text", "oldText", "search"})
ASKING = frozenset({"command", "cmd", "script", "pattern", "query", "glob", "url", *PATH_KEYS})

_PATH = re.compile(r"(?:~|\.{1,2})?[\w.@+\-]*(?:/[\w.@+\-]+)+")
_NAME = re.compile(r"[A-Za-z_]\w{5,}")
_FAILED = re.compile(r"(?:exit(?:ed with)?(?: code)?[: \"]+)([1-9]\d*)\b|^(?:Error|Traceback|fatal:)", re.IGNORECASE)
_DEFINES = re.compile(
    r"^\W*(?:\d+\W+)?(?:(?:export|default|pub(?:\(\w+\))?|public|private|protected|static|final|abstract|async|declare)\s+)*"
    r"(?:def|class|func|fn|function|interface|type|struct|enum|trait|impl|const|module)\b"
)


@dataclass(frozen=True, slots=True)
class Line:
    """One verbatim line and the names in it: paths, and identifiers that no plain word looks like."""

    text: str
    origin: Origin
    names: tuple[str, ...] = ()

    @property
    def defines(self) -> bool:
        """True when the line looks like the head of a definition."""
        return _DEFINES.match(self.text) is not None


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that was done or said: in which step (counted from 1 over the session), by what, on what, and how.

    ``title`` is what was asked for (a path, a command), verbatim, one line each; ``path`` the file it is about.
    """

    step: int
    what: str
    title: tuple[str, ...] = ()
    path: str = ""
    ok: bool = True
    lines: tuple[Line, ...] = ()


Whole = Callable[[ToolResult], str]
"""How the whole text of a result that was trimmed at birth is had."""


def names_in(text: str) -> tuple[str, ...]:
    """Paths, and identifiers of 6 or more letters with an underscore or inner capital, each once."""
    found = dict.fromkeys(word for word in _NAME.findall(text) if _is_code(word))
    if "/" in text:
        found.update(dict.fromkeys(p for path in _PATH.findall(text) if len(p := path.rstrip(".-")) >= 5))
    return tuple(found)


def _is_code(word: str) -> bool:
    core = word.strip("_")
    return "_" in core or (not core[1:].islower() and not core.isupper() and not core[1:].isdigit())


def lines_in(text: str, origin: Origin) -> Iterator[Line]:
    """The lines of a text that say something."""
    for line in text.splitlines():
        if line and not line.isspace():
            yield Line(line, origin, names_in(line))


def entries_of(step: Step, number: int, whole: Whole) -> Iterator[Entry]:
    """The remark of a step and its calls, in order."""
    if step.reply.text.strip():
        yield Entry(number, "said", lines=tuple(lines_in(step.reply.text, "remark")))
    for call, result in zip(step.reply.calls, step.results, strict=True):
        yield _entry(call, result, number, whole(result))


def _entry(call: ToolCall, result: ToolResult, number: int, text: str) -> Entry:
    asked, contents = taken_apart(call.arguments)
    title = tuple(line for value in asked.values() for line in value.splitlines() if line.strip())
    told = [line for origin, value in contents for line in lines_in(value, origin)]
    told += lines_in(text, "result")
    ok = result.ok and not _FAILED.search(text[:400])
    return Entry(number, call.name, title, path_of(asked, result), ok, tuple(told))


def path_of(asked: Mapping[str, str], result: ToolResult) -> str:
    """The file that a call is about: as its tool says, else as its arguments do."""
    if result.touches:
        return result.touches[0].path
    for key in PATH_KEYS:
        if key in asked:
            return asked[key]
    for value in asked.values():
        for path in _PATH.findall(value):
            if "." in path.rpartition("/")[2]:
                return path
    return ""


def taken_apart(arguments: str) -> tuple[dict[str, str], list[tuple[Origin, str]]]:
    """Arguments of a call: what it asks for, by key, and the contents it carries. Bad JSON is content."""
    try:
        decoded = json.loads(arguments)
    except (ValueError, RecursionError):
        return {}, [("written", arguments)]
    asked: dict[str, str] = {}
    contents: list[tuple[Origin, str]] = []
    for key, value in _strings("", decoded):
        if key in TAKEN_OUT:
            contents.append(("replaced", value))
        elif key in ASKING or (len(value) <= SHORT and "\n" not in value):
            asked[key if key not in asked else f"{key} {len(asked)}"] = value
        else:
            contents.append(("written", value))
    return asked, contents


def _strings(key: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield key, value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _strings(str(name), inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(key, inner)


def numbered_steps(conversation: Conversation, upto: Position) -> Iterator[tuple[int, Step]]:
    """Every step before a position with its number in the session, counted from 1."""
    for number, (position, step) in enumerate(conversation.steps(), 1):
        if (position.turn, position.step) >= (upto.turn, upto.step):
            return
        yield number, step
