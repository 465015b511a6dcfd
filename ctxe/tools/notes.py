"""The tools that store and find knowledge: remember, record_failure, recall and update_todo."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Protocol

from ctxe.domain.errors import ToolError
from ctxe.domain.picture import Picture
from ctxe.domain.tool import Action, Risk, Tool, ToolOutput, without_progress
from ctxe.domain.value import dataclass
from ctxe.tools.arguments import parse_arguments
from ctxe.tools.schemas import COUNT, STRING, STRINGS, describe

KINDS = ("decision", "fact", "preference", "routine")
STATES = {"open": " ", "doing": ">", "done": "x"}
LONG_LINES = 200
"""Lines of a recalled text above which a head line says which of them are shown."""
MOST_ITEMS = 50
"""Entries of a todo list."""


class Remember(Protocol):
    """Stores an entry and returns the result in words (kept, or waiting in the inbox)."""

    def __call__(self, kind: str, title: str, text: str, files: Sequence[str], replaces: str) -> str:
        """Raises CtxeError when it cannot be kept."""
        ...


class Alike(Protocol):
    """Finds stored entries on the subject of a new one, a line each, for the person who is asked to approve it."""

    def __call__(self, kind: str, title: str, text: str, files: Sequence[str], replaces: str) -> Sequence[str]:
        """Empty when there are none."""
        ...


class RecordFailure(Protocol):
    """Stores a failed attempt and returns the result in words."""

    def __call__(self, tried: str, outcome: str, fix: str, command: str, files: Sequence[str]) -> str:
        """Raises CtxeError when it cannot be kept."""
        ...


class Recall(Protocol):
    """Finds a text by its handle, or texts and memories by words; empty when there are none."""

    def __call__(self, handle: str, query: str) -> str:
        """Exactly one of the arguments is not empty."""
        ...


@dataclass(frozen=True, slots=True)
class Notebook:
    """The functions that these tools call. ``picture`` finds a picture by its handle; it raises CtxeError when the
    picture cannot be shown.
    """

    remember: Remember
    record_failure: RecordFailure
    recall: Recall
    picture: Callable[[str], Picture | None] = lambda _: None
    alike: Alike = lambda *_: ()


def remember(keep: Remember, alike: Alike = lambda *_: ()) -> Tool:
    """The tool for a decision, fact, preference or routine; it needs approval since it is written to disk."""
    kind = {"type": "string", "enum": list(KINDS)}
    shape = {"kind": kind, "title": STRING, "text": STRING, "files": STRINGS, "replaces": STRING}
    schema = describe("remember", shape, ("kind", "title", "text"))

    def prepare(arguments: Mapping[str, Any]) -> Action:
        parsed = parse_arguments(schema, arguments)
        title = _line("title", parsed["title"])
        text, files = _filled("text", parsed["text"]), parsed.get("files", [])
        entry = (parsed["kind"], title, text, files, parsed.get("replaces", "").strip())
        details = [f"files: {', '.join(files)}"] if files else []
        details += [f"replaces: {entry[-1]}"] if entry[-1] else []
        similar = alike(*entry)
        preview = "\n".join([f"{parsed['kind']}: {title}", *details, "", text, *(["", *similar] if similar else [])])

        def run() -> ToolOutput:
            return ToolOutput(keep(*entry))

        return Action(
            "remember", f"remember {parsed['kind']}: {title}", Risk.WRITE, without_progress(run), preview, "text"
        )

    return Tool(schema, Risk.WRITE, prepare)


def record_failure(keep: RecordFailure) -> Tool:
    """The tool for an attempt that did not work, so that no later session repeats it."""
    shape = {"tried": STRING, "outcome": STRING, "fix": STRING, "command": STRING, "files": STRINGS}
    schema = describe("record_failure", shape, ("tried", "outcome"))

    def prepare(arguments: Mapping[str, Any]) -> Action:
        parsed = parse_arguments(schema, arguments)
        tried, outcome = _filled("tried", parsed["tried"]), _filled("outcome", parsed["outcome"])
        fix, command, files = parsed.get("fix", ""), parsed.get("command", ""), parsed.get("files", [])
        parts = {"tried": tried, "outcome": outcome, "fix": fix, "command": command, "files": ", ".join(files)}
        preview = "\n".join(f"{key}: {value}" for key, value in parts.items() if value)

        def run() -> ToolOutput:
            return ToolOutput(keep(tried, outcome, fix, command, files))

        title = f"record failure: {' '.join(tried.split())[:100]}"
        return Action("record_failure", title, Risk.WRITE, without_progress(run), preview, "text")

    return Tool(schema, Risk.WRITE, prepare)


def recall(find: Recall, picture: Callable[[str], Picture | None] = lambda _: None) -> Tool:
    """The tool for trimmed or folded text, by handle and line, or for texts of the session and memory, by words."""
    schema = describe("recall", {"handle": STRING, "first": COUNT, "query": STRING})

    def prepare(arguments: Mapping[str, Any]) -> Action:
        parsed = parse_arguments(schema, arguments)
        handle, query = parsed.get("handle", "").strip(), parsed.get("query", "").strip()
        if bool(handle) == bool(query):
            raise ToolError("recall takes either handle or query")
        first = parsed.get("first", 1)
        title = f"recall {handle or query}" + (f" from line {first}" if handle and first != 1 else "")
        return Action(
            "recall", title, Risk.READ, without_progress(partial(_recalled, find, picture, handle, query, first))
        )

    return Tool(schema, Risk.READ, prepare)


def _recalled(
    find: Recall, picture: Callable[[str], Picture | None], handle: str, query: str, first: int
) -> ToolOutput:
    """A picture, or a text from line ``first`` on. A long text is trimmed later, so it can be read part by part."""
    if handle and (shown_picture := picture(handle)):
        return ToolOutput(f"[{shown_picture.description}]", kind="recalled", picture=shown_picture)
    text = find(handle, query)
    if not text:
        reason = f"there is no text under the handle {handle}" if handle else f"nothing matches {query}"
        raise ToolError(reason)
    if query:
        return ToolOutput(text, kind="other")
    lines = text.split("\n")
    if not 1 <= first <= len(lines):
        raise ToolError(f"first is a line from 1 to {len(lines):,}")
    head = [f"[from line {first:,} of {len(lines):,}]"] if first > 1 or len(lines) > LONG_LINES else []
    return ToolOutput("\n".join([*head, *lines[first - 1 :]]), kind="recalled")


def update_todo() -> Tool:
    """The tool that replaces the whole todo list; its result holds the list, so nothing else needs to keep it."""
    item = {
        "type": "object",
        "properties": {"text": STRING, "state": {"type": "string", "enum": list(STATES)}},
        "required": ["text", "state"],
    }
    schema = describe("update_todo", {"items": {"type": "array", "items": item}}, ("items",))

    def prepare(arguments: Mapping[str, Any]) -> Action:
        parsed = parse_arguments(schema, arguments)
        items = [(_line("text", entry["text"]), entry["state"]) for entry in parsed["items"]]
        if len(items) > MOST_ITEMS:
            raise ToolError(f"a todo list has at most {MOST_ITEMS} items; join some")

        def run() -> ToolOutput:
            facts = {"todo": [{"text": text, "state": state} for text, state in items]}
            return ToolOutput(todo_lines(items), facts=facts)

        done = sum(state == "done" for _, state in items)
        return Action("update_todo", f"todo: {done} of {len(items)} done", Risk.READ, without_progress(run))

    return Tool(schema, Risk.READ, prepare)


def todo_lines(items: Sequence[tuple[str, str]]) -> str:
    """A todo list as the model and the user see it, one item per line."""
    return "\n".join(f"[{STATES.get(state, ' ')}] {text}" for text, state in items) or "the todo list is empty"


def _filled(key: str, text: str) -> str:
    if not text.strip():
        raise ToolError(f"{key} is empty")
    return text.strip()


def _line(key: str, text: str) -> str:
    return " ".join(_filled(key, text).split())
