"""Tools that keep and bring back knowledge: remember, record_failure, recall and update_todo."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Protocol

from ctxe.domain.errors import ToolError
from ctxe.domain.picture import Picture
from ctxe.domain.tool import Action, Risk, Tool, ToolOutput, once
from ctxe.domain.value import dataclass
from ctxe.tools.arguments import checked
from ctxe.tools.prose import COUNT, STRING, STRINGS, describe

KINDS = ("decision", "fact", "preference", "routine")
STATES = {"open": " ", "doing": ">", "done": "x"}
LONG = 200
"""Lines of a recalled text from which on it is told which of how many stand there."""
ITEMS = 50
"""Entries of a todo list."""


class Remember(Protocol):
    """Keeps an entry and tells what became of it (kept, or waiting in the inbox)."""

    def __call__(self, kind: str, title: str, text: str, files: Sequence[str], replaces: str) -> str:
        """Raises CtxeError when it cannot be kept."""
        ...


class Alike(Protocol):
    """Says what is kept already on the subject of an entry, a line each, for the person who is asked."""

    def __call__(self, kind: str, title: str, text: str, files: Sequence[str], replaces: str) -> Sequence[str]:
        """Nothing where nothing is."""
        ...


class RecordFailure(Protocol):
    """Keeps what was tried in vain and tells what became of it."""

    def __call__(self, tried: str, outcome: str, fix: str, command: str, files: Sequence[str]) -> str:
        """Raises CtxeError when it cannot be kept."""
        ...


class Recall(Protocol):
    """Brings back a text by its handle, or finds texts and memories by words; empty when there is none."""

    def __call__(self, handle: str, query: str) -> str:
        """Exactly one of the two is not empty."""
        ...


@dataclass(frozen=True, slots=True)
class Notebook:
    """What these tools are lent. ``picture`` finds one by its handle; it raises CtxeError where it cannot be shown."""

    remember: Remember
    record_failure: RecordFailure
    recall: Recall
    picture: Callable[[str], Picture | None] = lambda _: None
    alike: Alike = lambda *_: ()


def remember(keep: Remember, alike: Alike = lambda *_: ()) -> Tool:
    """A decision, fact, preference or routine for later sessions; asked for, since it is written to disk."""
    kind = {"type": "string", "enum": list(KINDS)}
    shape = {"kind": kind, "title": STRING, "text": STRING, "files": STRINGS, "replaces": STRING}
    schema = describe("remember", shape, ("kind", "title", "text"))

    def prepare(arguments: Mapping[str, Any]) -> Action:
        given = checked(schema, arguments)
        title = _line("title", given["title"])
        text, files = _filled("text", given["text"]), given.get("files", [])
        said = (given["kind"], title, text, files, given.get("replaces", "").strip())
        about = [f"files: {', '.join(files)}"] if files else []
        about += [f"replaces: {said[-1]}"] if said[-1] else []
        others = alike(*said)
        preview = "\n".join([f"{given['kind']}: {title}", *about, "", text, *(["", *others] if others else [])])

        def run() -> ToolOutput:
            return ToolOutput(keep(*said))

        return Action("remember", f"remember {given['kind']}: {title}", Risk.WRITE, once(run), preview, "text")

    return Tool(schema, Risk.WRITE, prepare)


def record_failure(keep: RecordFailure) -> Tool:
    """What was tried and did not work, so that no later session tries it again."""
    shape = {"tried": STRING, "outcome": STRING, "fix": STRING, "command": STRING, "files": STRINGS}
    schema = describe("record_failure", shape, ("tried", "outcome"))

    def prepare(arguments: Mapping[str, Any]) -> Action:
        given = checked(schema, arguments)
        tried, outcome = _filled("tried", given["tried"]), _filled("outcome", given["outcome"])
        fix, command, files = given.get("fix", ""), given.get("command", ""), given.get("files", [])
        parts = {"tried": tried, "outcome": outcome, "fix": fix, "command": command, "files": ", ".join(files)}
        preview = "\n".join(f"{key}: {value}" for key, value in parts.items() if value)

        def run() -> ToolOutput:
            return ToolOutput(keep(tried, outcome, fix, command, files))

        title = f"record failure: {' '.join(tried.split())[:100]}"
        return Action("record_failure", title, Risk.WRITE, once(run), preview, "text")

    return Tool(schema, Risk.WRITE, prepare)


def recall(find: Recall, picture: Callable[[str], Picture | None] = lambda _: None) -> Tool:
    """Text that was trimmed or folded, by handle and line; or anything of this session and the memory, by words."""
    schema = describe("recall", {"handle": STRING, "first": COUNT, "query": STRING})

    def prepare(arguments: Mapping[str, Any]) -> Action:
        given = checked(schema, arguments)
        handle, query = given.get("handle", "").strip(), given.get("query", "").strip()
        if bool(handle) == bool(query):
            raise ToolError("recall takes either handle or query")
        first = given.get("first", 1)
        title = f"recall {handle or query}" + (f" from line {first}" if handle and first != 1 else "")
        return Action("recall", title, Risk.READ, once(partial(_recalled, find, picture, handle, query, first)))

    return Tool(schema, Risk.READ, prepare)


def _recalled(
    find: Recall, picture: Callable[[str], Picture | None], handle: str, query: str, first: int
) -> ToolOutput:
    """A picture, or the text from a line on, which is cut at its end: a longer one is had part by part."""
    if handle and (found := picture(handle)):
        return ToolOutput(f"[{found.words}]", kind="recalled", picture=found)
    text = find(handle, query)
    if not text:
        why = f"there is no text under the handle {handle}" if handle else f"nothing bears on {query}"
        raise ToolError(why)
    if query:
        return ToolOutput(text, kind="other")
    lines = text.split("\n")
    if not 1 <= first <= len(lines):
        raise ToolError(f"first is a line from 1 to {len(lines):,}")
    head = [f"[from line {first:,} of {len(lines):,}]"] if first > 1 or len(lines) > LONG else []
    return ToolOutput("\n".join([*head, *lines[first - 1 :]]), kind="recalled")


def update_todo() -> Tool:
    """The whole list, given anew each time; its result carries the list, so nothing else has to."""
    item = {
        "type": "object",
        "properties": {"text": STRING, "state": {"type": "string", "enum": list(STATES)}},
        "required": ["text", "state"],
    }
    schema = describe("update_todo", {"items": {"type": "array", "items": item}}, ("items",))

    def prepare(arguments: Mapping[str, Any]) -> Action:
        given = checked(schema, arguments)
        items = [(_line("text", one["text"]), one["state"]) for one in given["items"]]
        if len(items) > ITEMS:
            raise ToolError(f"a todo list has at most {ITEMS} items; join some")

        def run() -> ToolOutput:
            facts = {"todo": [{"text": text, "state": state} for text, state in items]}
            return ToolOutput(listed(items), facts=facts)

        done = sum(state == "done" for _, state in items)
        return Action("update_todo", f"todo: {done} of {len(items)} done", Risk.READ, once(run))

    return Tool(schema, Risk.READ, prepare)


def listed(items: Sequence[tuple[str, str]]) -> str:
    """A todo list as the model and the user see it, a line an item."""
    return "\n".join(f"[{STATES.get(state, ' ')}] {text}" for text, state in items) or "the todo list is empty"


def _filled(key: str, text: str) -> str:
    if not text.strip():
        raise ToolError(f"{key} is empty")
    return text.strip()


def _line(key: str, text: str) -> str:
    return " ".join(_filled(key, text).split())
