"""The arguments of any tool's call by their role: what the call asks for, what it puts in, what it takes out."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator
from typing import Any

from ctxe.context.tokens import Count
from ctxe.context.trim import Kind
from ctxe.domain.conversation import ToolCall
from ctxe.domain.pattern import pattern
from ctxe.domain.value import dataclass, field

LONGEST = 80
"""Characters shown of the argument of a call that could not be run."""

SHORT = 200
"""Longest one-line argument, in characters, that counts as something asked for; longer ones are contents."""

PATHS = ("path", "file_path", "filePath", "file", "filename", "notebook_path", "dirPath", "target_file")
COMMANDS = ("command", "cmd", "script")
ASKING = frozenset({*PATHS, *COMMANDS, "pattern", "query", "glob", "url"})
TAKEN_OUT = frozenset({"old", "old_str", "old_string", "oldString", "old_text", "oldText", "search"})
PUT_IN = frozenset(
    {"new", "new_str", "new_string", "newString", "new_text", "newText", "replace", "content", "contents", "file_text"}
)

_PATCHED = pattern(r"^\*\*\* (?:Update|Add|Delete) File: (.+)$", re.MULTILINE)
_READER = pattern(r"read|view|open|^cat$", re.IGNORECASE)
_SEARCHER = pattern(r"grep|glob|find|search|list|^ls$", re.IGNORECASE)
_SHELL = pattern(r"bash|exec|shell|command|run|stdin|terminal", re.IGNORECASE)
_READS = pattern(r"\s*(?:cd [^&;]+&&\s*)?(?:sed -n|cat|nl|head|tail)\s")
_SHOWS = pattern(r"\s*(?:sed -n|cat|nl|head|tail)\s[^|;&<>`$()\n]*")
_SEARCHES = pattern(r"\s*(?:cd [^&;]+&&\s*)?(?:rg|grep|git grep|find|fd|ls)\b")


@dataclass(frozen=True, slots=True)
class CallArguments:
    """Parsed arguments: short ``values`` by key, contents put in and taken out, (path, change) per file of a patch."""

    values: dict[str, str] = field(default_factory=dict)
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    patches: tuple[tuple[str, str], ...] = ()

    @property
    def texts(self) -> tuple[str, ...]:
        """Every string in the arguments, without JSON syntax."""
        changes = tuple(text for change in self.patches for text in change)
        return (*self.values.values(), *self.added, *self.removed, *changes)

    @property
    def is_edit(self) -> bool:
        """True when the call carries contents, as an edit does."""
        return bool(self.added or self.removed or self.patches)

    @property
    def path(self) -> str:
        """The path under the first usual key; empty without one."""
        return next((self.values[key] for key in PATHS if key in self.values), "")

    @property
    def command(self) -> str:
        """The command line under the first usual key; empty without one."""
        return next((self.values[key] for key in COMMANDS if key in self.values), "")

    @property
    def title(self) -> tuple[str, ...]:
        """What the call asks for, verbatim, line by line; blank lines are dropped."""
        return tuple(line for value in self.values.values() for line in value.splitlines() if line.strip())


def parse_arguments(arguments: str) -> CallArguments:
    """Sort the strings of ``arguments`` (JSON text) by role. Invalid or too deeply nested JSON counts as contents."""
    try:
        texts = list(_strings("", json.loads(arguments)))
    except (ValueError, RecursionError):
        texts = [("", arguments)] if arguments else []
    asked = CallArguments()
    put_in, taken_out, patched = list[str](), list[str](), list[tuple[str, str]]()
    for key, value in texts:
        if key in TAKEN_OUT:
            taken_out.append(value)
        elif key in ASKING or (key and key not in PUT_IN and len(value) <= SHORT and "\n" not in value):
            asked.values[key if key not in asked.values else f"{key} {len(asked.values)}"] = value
        elif changes := _by_file(value):
            patched += changes
        else:
            put_in.append(value)
    return CallArguments(asked.values, tuple(put_in), tuple(taken_out), tuple(patched))


def call_title(call: ToolCall) -> str:
    """The tool and the first thing asked for, for a call that never became an action; empty when that is nothing."""
    asked = parse_arguments(call.arguments).title[:1]
    return " ".join([call.name, *(word[:LONGEST] for word in asked)]) if asked else ""


def _strings(key: str, value: Any) -> Iterator[tuple[str, str]]:
    """(key, string) for every string in a decoded value; the items of a list have the key of the list."""
    if isinstance(value, str):
        yield key, value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _strings(str(name), inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(key, inner)


def _by_file(value: str) -> list[tuple[str, str]]:
    """(path, change) for each file heading in a patch; empty when there are none."""
    parts = _PATCHED.split(value)
    return [(path.strip(), change) for path, change in zip(parts[1::2], parts[2::2], strict=True)]


def kind_of(name: str, asked: CallArguments) -> Kind:
    """The kind of output a call gives, judged by the tool's name and the command it runs."""
    command = asked.command
    if command or _SHELL.search(name):
        return "read" if _READS.match(command) else "search" if _SEARCHES.match(command) else "shell"
    return "search" if _SEARCHER.search(name) else "read" if _READER.search(name) else "other"


def shows_files(command: str) -> bool:
    """True when all that a command puts out is lines of files."""
    return bool(_SHOWS.fullmatch(command.rstrip()))


def shorten_arguments(arguments: str, limit: int, count: Count) -> str:
    """Arguments (JSON text) cut to about ``limit`` tokens: the longest strings are cut, the JSON structure stays.

    Text that is no JSON object, or is nested too deep, becomes an object with a single string.
    """
    with contextlib.suppress(ValueError, RecursionError):
        if isinstance(decoded := json.loads(arguments), dict):
            return _shortened(decoded, arguments, limit, count)
    return _shortened({"shortened": arguments}, arguments, limit, count)


def _shortened(decoded: dict[str, Any], text: str, limit: int, count: Count) -> str:
    longest = max((len(inner) for _, inner in _strings("", decoded)), default=0)
    while longest > SHORT and count(text) > limit:
        longest = longest * 2 // 3
        text = json.dumps(_cut(decoded, longest), ensure_ascii=False)
    return text


def _cut(value: Any, longest: int) -> Any:
    """A decoded value with every string longer than ``longest`` cut to its head and a note of how much is missing."""
    if isinstance(value, str) and len(value) > longest:
        return f"{value[:longest]} [{len(value) - longest:,} characters left out]"
    if isinstance(value, dict):
        return {key: _cut(inner, longest) for key, inner in value.items()}
    return [_cut(inner, longest) for inner in value] if isinstance(value, list) else value
