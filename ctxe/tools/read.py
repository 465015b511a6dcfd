"""read_file: a text file, or some of its lines, with line numbers; or a picture, for a model that sees pictures."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from ctxe.domain.conversation import Touch
from ctxe.domain.errors import ToolError
from ctxe.domain.section import digest_bytes
from ctxe.domain.tool import Action, Risk, Tool, ToolOutput, without_progress
from ctxe.domain.value import replace
from ctxe.tools.arguments import parse_arguments
from ctxe.tools.schemas import COUNT, STRING, describe
from ctxe.tools.text import encoding_notes, numbered, split
from ctxe.tools.workspace import TextFile, Workspace, locate, read_bytes, to_text_file


def read_file(workspace: Workspace) -> Tool:
    """The tool. Its result has a head line, then ``number``, tab, text for each line; empty lines have no number."""
    schema = describe("read_file", {"path": STRING, "first": COUNT, "last": COUNT}, ("path",))
    # The permission to read a file that may hold secrets is decided by the action's path, before it runs.
    unguarded = replace(workspace, is_secret=lambda _: False)

    def prepare(arguments: Mapping[str, Any]) -> Action:
        parsed = parse_arguments(schema, arguments)
        path = locate(workspace, parsed["path"])
        first, last = parsed.get("first"), parsed.get("last")
        span = f" {first or 1}-{last or ''}" if first or last else ""
        run = partial(_run, unguarded, parsed["path"], path, first or 1, last)
        return Action("read_file", f"read {path}{span}", Risk.READ, without_progress(run), paths=(path,))

    return Tool(schema, Risk.READ, prepare)


def _run(workspace: Workspace, name: str, path: str, first: int, last: int | None) -> ToolOutput:
    data = read_bytes(workspace, name, path)
    if picture := workspace.to_picture(path, data):
        touch = Touch(path, "read", digest_bytes(data))
        return ToolOutput(f"[{picture.description}]", kind="read", touches=(touch,), picture=picture)
    file = to_text_file(name, path, data)
    text = shown(file, first, last, workspace.bounds.text)
    lines = len(split(file.content.text)[first - 1 : last])
    return ToolOutput(text, kind="read", touches=(Touch(path, "read", file.digest),), facts={"lines": lines})


def shown(file: TextFile, first: int = 1, last: int | None = None, limit: int = 2_000_000) -> str:
    """Lines ``first`` to ``last`` (from 1, inclusive) as the model sees them. Raises ToolError beyond the end."""
    lines = [line.rstrip("\r\n") if line.endswith("\n") else line.rstrip("\r") for line in split(file.content.text)]
    total = len(lines)
    if not total:
        return f"{file.path} is empty"
    if first > total:
        raise ToolError(f"{file.path} has {total} lines; there is no line {first}")
    if last is not None and last < first:
        raise ToolError(f"last ({last}) is before first ({first})")
    end = total if last is None else min(last, total)
    whole = first == 1 and end == total
    span = f"{total} line{'s' if total > 1 else ''}" if whole else f"lines {first}-{end} of {total}"
    head = ", ".join([f"{file.path}: {span}", *encoding_notes(file.content)])
    body = "\n".join(numbered(line, number) for number, line in enumerate(lines[first - 1 : end], first))
    if len(body) > limit:
        body = f"{body[:limit]}\n[{len(body) - limit:,} characters more; give first and last]"
    return f"{head}\n{body}"
