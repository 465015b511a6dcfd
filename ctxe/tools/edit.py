"""edit_file and write_file: changes that a person can review first, and that leave all other bytes of a file alone."""

from __future__ import annotations

import stat
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from ctxe.domain.conversation import Operation, Touch
from ctxe.domain.errors import StoreError, ToolError
from ctxe.domain.section import digest_bytes
from ctxe.domain.tool import Action, Risk, Tool, ToolOutput, without_progress
from ctxe.domain.value import dataclass
from ctxe.repo.undo.rewrite import look, read, rewrite
from ctxe.tools.arguments import parse_arguments
from ctxe.tools.schemas import BOOLEAN, STRING, describe
from ctxe.tools.text import Decoded, line_end, split
from ctxe.tools.workspace import Workspace, load_text, require_seen, writable_path

if TYPE_CHECKING:
    from ctxe.tools.diff import Hunk
    from ctxe.tools.replace import Edit

MOST_PLACES = 8
"""Most changed places that a result lists."""

DIFF_CHARS = 20_000
"""Characters of a diff that the result keeps; the whole diff was shown for approval."""

MASK = "‹secret: "
"""The beginning of the text that replaces a secret for the model (``safety.secrets.mask``); it must not be written."""


@dataclass(frozen=True, slots=True)
class _Change:
    """A file's text before (None for a new file) and after, the bytes to write, and the hash of the old bytes."""

    path: str
    old_text: str | None
    text: str
    data: bytes
    digest: str


def edit_file(workspace: Workspace) -> Tool:
    """The tool for exact search and replace in one place or several; all edits are made or none."""
    pair = {"type": "object", "properties": {"old": STRING, "new": STRING}, "required": ["old", "new"]}
    shape = {"path": STRING, "old": STRING, "new": STRING, "all": BOOLEAN, "edits": {"type": "array", "items": pair}}
    schema = describe("edit_file", shape, ("path",))

    def prepare(arguments: Mapping[str, Any]) -> Action:
        from ctxe.tools.replace import apply

        parsed = parse_arguments(schema, arguments)
        edits = _edits(parsed)
        path = writable_path(workspace, parsed["path"])
        loaded = load_text(workspace, parsed["path"], path)
        require_seen(workspace, loaded)
        for edit in edits:
            _no_mask(edit.old + edit.new, loaded.content.text, path)
        text = apply(loaded.content.text, edits, path)
        if text == loaded.content.text:
            raise ToolError(f"the edits leave {path} as it is")
        change = _Change(path, loaded.content.text, text, loaded.content.encode(text, path), loaded.digest)
        return _action(workspace, "edit_file", "edit", change)

    return Tool(schema, Risk.WRITE, prepare)


def write_file(workspace: Workspace) -> Tool:
    """The tool that creates a file with its folders, or replaces the whole text of one that was read."""
    schema = describe("write_file", {"path": STRING, "text": STRING}, ("path", "text"))

    def prepare(arguments: Mapping[str, Any]) -> Action:
        parsed = parse_arguments(schema, arguments)
        path, text = writable_path(workspace, parsed["path"]), parsed["text"]
        if look(workspace.root, path) is None:
            change = _Change(path, None, text, Decoded("").encode(text, path), "")
            return _action(workspace, "write_file", "create", change)
        loaded = load_text(workspace, parsed["path"], path)
        if loaded.content.text:
            require_seen(workspace, loaded)
        _no_mask(text, loaded.content.text, path)
        text = _in_style(text, loaded.content)
        if text == loaded.content.text:
            raise ToolError(f"{path} has exactly this text already")
        change = _Change(path, loaded.content.text, text, loaded.content.encode(text, path), loaded.digest)
        return _action(workspace, "write_file", "rewrite", change)

    return Tool(schema, Risk.WRITE, prepare)


def _edits(arguments: Mapping[str, Any]) -> list[Edit]:
    from ctxe.tools.replace import Edit

    if "edits" in arguments and not {"old", "new", "all"} & arguments.keys():
        if arguments["edits"]:
            return [Edit(edit["old"], edit["new"]) for edit in arguments["edits"]]
        raise ToolError("edit_file: edits is empty")
    if "edits" in arguments or not {"old", "new"} <= arguments.keys():
        raise ToolError("edit_file takes path with old and new, or path with edits")
    return [Edit(arguments["old"], arguments["new"], arguments.get("all", False))]


def _no_mask(words: str, text: str, path: str) -> None:
    if MASK in words and MASK not in text:
        raise ToolError(f"{path} holds a secret where you see ‹secret: …›; edit the lines around it, and leave it out")


def _in_style(text: str, old: Decoded) -> str:
    """The new text with the line ends of the old one, when those are all alike and the new text has only newlines."""
    end = line_end(old.text)
    uniform = end == "\r" or (end == "\r\n" and old.text.count("\n") == old.text.count("\r\n"))
    return text.replace("\n", end) if uniform and "\r" not in text else text


def _action(workspace: Workspace, tool: str, verb: str, change: _Change) -> Action:
    from ctxe.tools.diff import change_counts, hunks, unified

    diff = unified(change.path, change.old_text, change.text)
    counts = change_counts(hunks(split(change.old_text or ""), split(change.text)))
    run = partial(_run, workspace, verb, change, diff)
    return Action(
        tool, f"{verb} {change.path} ({counts})", Risk.WRITE, without_progress(run), diff, "diff", paths=(change.path,)
    )


def _run(workspace: Workspace, verb: str, change: _Change, diff: str) -> ToolOutput:
    """Write the change, unless the file was changed since the diff was shown."""
    try:
        if _digest(workspace, change.path) != change.digest:
            raise ToolError(f"{change.path} changed in the meantime; nothing was written, read it again")
        rewrite(workspace.root, change.path, change.data)
    except StoreError as error:
        raise ToolError(error.message) from error
    operation: Operation = "create" if change.old_text is None else "edit"
    touch = Touch(change.path, operation, digest_bytes(change.data))
    short = diff if len(diff) <= DIFF_CHARS else f"{diff[:DIFF_CHARS]}\n[{len(diff) - DIFF_CHARS:,} characters more]"
    return ToolOutput(_summary(verb, change), display=short, touches=(touch,))


def _digest(workspace: Workspace, path: str) -> str:
    status = look(workspace.root, path)
    if status is None:
        return ""
    if not stat.S_ISREG(status.st_mode):
        return "?"
    return digest_bytes(read(workspace.root, path, workspace.bounds.file + 1))


def _summary(verb: str, change: _Change) -> str:
    """The result in one line: where the changes are now. The model knows what it wrote."""
    from ctxe.tools.diff import change_counts, hunks
    from ctxe.tools.syntax import syntax_error

    after = split(change.text)
    changes = hunks(split(change.old_text or ""), after)
    error = syntax_error(change.path, change.text)
    note = (
        f"\nnote: {error}"
        if error and (change.old_text is None or not syntax_error(change.path, change.old_text))
        else ""
    )
    if change.old_text is None:
        return f"created {change.path} ({len(after)} line{'' if len(after) == 1 else 's'}){note}"
    places = [_place(hunk) for hunk in changes]
    more = [f"{len(places) - MOST_PLACES} more places"] if len(places) > MOST_PLACES else []
    line_numbers = (
        f"line{'s' if len(places) > 1 or '-' in places[0] else ''} {', '.join([*places[:MOST_PLACES], *more])}"
    )
    shift = sum((hunk.d - hunk.c) - (hunk.b - hunk.a) for hunk in changes)
    moved = f"; lines below moved by {shift:+d}" if shift and changes[-1].d < len(after) else ""
    verb_past = {"edit": "edited", "rewrite": "rewrote"}[verb]
    return f"{verb_past} {change.path}: {line_numbers} ({change_counts(changes)}){moved}{note}"


def _place(hunk: Hunk) -> str:
    """The lines of a hunk in the new text; for a deletion the line that is now in its place."""
    return f"{hunk.c + 1}" if hunk.d - hunk.c <= 1 else f"{hunk.c + 1}-{hunk.d}"
