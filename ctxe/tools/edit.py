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

SPANS = 8
"""Changed places that a result lists, at most."""

DIFF_CHARS = 20_000
"""Characters of a diff that the result keeps; the whole diff was shown for approval."""

MASK = "‹secret: "
"""The beginning of what the model sees in place of a secret (``safety.secrets.mask``), which must not be written."""


@dataclass(frozen=True, slots=True)
class _Change:
    """A file's text before (None for a new file) and after, the bytes to write, and the hash of the old bytes."""

    path: str
    was: str | None
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

        given = parse_arguments(schema, arguments)
        edits = _edits(given)
        path = writable_path(workspace, given["path"])
        held = load_text(workspace, given["path"], path)
        require_seen(workspace, held)
        for edit in edits:
            _no_mask(edit.old + edit.new, held.content.text, path)
        text = apply(held.content.text, edits, path)
        if text == held.content.text:
            raise ToolError(f"the edits leave {path} as it is")
        change = _Change(path, held.content.text, text, held.content.encode(text, path), held.digest)
        return _action(workspace, "edit_file", "edit", change)

    return Tool(schema, Risk.WRITE, prepare)


def write_file(workspace: Workspace) -> Tool:
    """The tool that creates a file with its folders, or replaces the whole text of one that was read."""
    schema = describe("write_file", {"path": STRING, "text": STRING}, ("path", "text"))

    def prepare(arguments: Mapping[str, Any]) -> Action:
        given = parse_arguments(schema, arguments)
        path, text = writable_path(workspace, given["path"]), given["text"]
        if look(workspace.root, path) is None:
            change = _Change(path, None, text, Decoded("").encode(text, path), "")
            return _action(workspace, "write_file", "create", change)
        held = load_text(workspace, given["path"], path)
        if held.content.text:
            require_seen(workspace, held)
        _no_mask(text, held.content.text, path)
        text = _in_style(text, held.content)
        if text == held.content.text:
            raise ToolError(f"{path} has exactly this text already")
        change = _Change(path, held.content.text, text, held.content.encode(text, path), held.digest)
        return _action(workspace, "write_file", "rewrite", change)

    return Tool(schema, Risk.WRITE, prepare)


def _edits(given: Mapping[str, Any]) -> list[Edit]:
    from ctxe.tools.replace import Edit

    if "edits" in given and not {"old", "new", "all"} & given.keys():
        if given["edits"]:
            return [Edit(one["old"], one["new"]) for one in given["edits"]]
        raise ToolError("edit_file: edits is empty")
    if "edits" in given or not {"old", "new"} <= given.keys():
        raise ToolError("edit_file takes path with old and new, or path with edits")
    return [Edit(given["old"], given["new"], given.get("all", False))]


def _no_mask(words: str, there: str, path: str) -> None:
    if MASK in words and MASK not in there:
        raise ToolError(f"{path} holds a secret where you see ‹secret: …›; edit the lines around it, and leave it out")


def _in_style(text: str, old: Decoded) -> str:
    """The new text with the line ends of the old one, when those are all alike and the new text has only newlines."""
    end = line_end(old.text)
    uniform = end == "\r" or (end == "\r\n" and old.text.count("\n") == old.text.count("\r\n"))
    return text.replace("\n", end) if uniform and "\r" not in text else text


def _action(workspace: Workspace, tool: str, verb: str, change: _Change) -> Action:
    from ctxe.tools.diff import change_counts, hunks, unified

    diff = unified(change.path, change.was, change.text)
    counted = change_counts(hunks(split(change.was or ""), split(change.text)))
    run = partial(_run, workspace, verb, change, diff)
    return Action(
        tool, f"{verb} {change.path} ({counted})", Risk.WRITE, without_progress(run), diff, "diff", paths=(change.path,)
    )


def _run(workspace: Workspace, verb: str, change: _Change, diff: str) -> ToolOutput:
    """Write the change, unless the file was changed since the diff was shown."""
    try:
        if _digest(workspace, change.path) != change.digest:
            raise ToolError(f"{change.path} changed in the meantime; nothing was written, read it again")
        rewrite(workspace.root, change.path, change.data)
    except StoreError as error:
        raise ToolError(error.message) from error
    operation: Operation = "create" if change.was is None else "edit"
    touch = Touch(change.path, operation, digest_bytes(change.data))
    short = diff if len(diff) <= DIFF_CHARS else f"{diff[:DIFF_CHARS]}\n[{len(diff) - DIFF_CHARS:,} characters more]"
    return ToolOutput(_summary(verb, change), display=short, touches=(touch,))


def _digest(workspace: Workspace, path: str) -> str:
    seen = look(workspace.root, path)
    if seen is None:
        return ""
    if not stat.S_ISREG(seen.st_mode):
        return "?"
    return digest_bytes(read(workspace.root, path, workspace.bounds.file + 1))


def _summary(verb: str, change: _Change) -> str:
    """The result in one line: where the changes are now. The model knows what it wrote."""
    from ctxe.tools.diff import change_counts, hunks
    from ctxe.tools.syntax import syntax_error

    after = split(change.text)
    found = hunks(split(change.was or ""), after)
    broken = syntax_error(change.path, change.text)
    note = f"\nnote: {broken}" if broken and (change.was is None or not syntax_error(change.path, change.was)) else ""
    if change.was is None:
        return f"created {change.path} ({len(after)} line{'' if len(after) == 1 else 's'}){note}"
    places = [_place(hunk) for hunk in found]
    more = [f"{len(places) - SPANS} more places"] if len(places) > SPANS else []
    where = f"line{'s' if len(places) > 1 or '-' in places[0] else ''} {', '.join([*places[:SPANS], *more])}"
    shift = sum((hunk.d - hunk.c) - (hunk.b - hunk.a) for hunk in found)
    moved = f"; lines below moved by {shift:+d}" if shift and found[-1].d < len(after) else ""
    past = {"edit": "edited", "rewrite": "rewrote"}[verb]
    return f"{past} {change.path}: {where} ({change_counts(found)}){moved}{note}"


def _place(hunk: Hunk) -> str:
    """The lines of a hunk in the new text; for a deletion the line that is now in its place."""
    return f"{hunk.c + 1}" if hunk.d - hunk.c <= 1 else f"{hunk.c + 1}-{hunk.d}"
