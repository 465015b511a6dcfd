"""delegate: have a question that needs much reading answered in a second conversation; only the answer comes back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from ctxe.domain.errors import ToolError
from ctxe.domain.tool import Action, Progress, Risk, Tool, ToolOutput
from ctxe.repo.undo.rewrite import look
from ctxe.tools.arguments import parse_arguments
from ctxe.tools.schemas import STRING, STRINGS, describe
from ctxe.tools.workspace import Workspace, locate

Ask = Callable[[str, Sequence[str]], Iterator[Progress | ToolOutput]]
"""Answers a question, given files to begin with: yields progress, then the answer."""

LONGEST_QUESTION = 80
"""Characters of a question that is shown in one line."""


def delegate(workspace: Workspace, ask: Ask) -> Tool:
    """The tool. A delegate only reads, so permission is decided as for reading the named files."""
    schema = describe("delegate", {"task": STRING, "files": STRINGS}, ("task",))

    def prepare(arguments: Mapping[str, Any]) -> Action:
        parsed = parse_arguments(schema, arguments)
        task = parsed["task"].strip()
        if not task:
            raise ToolError("task is empty; ask the whole question in it")
        files = tuple(dict.fromkeys(_file(workspace, name) for name in parsed.get("files", ())))
        title = f"delegate {' '.join(task.split())[:LONGEST_QUESTION]}"
        return Action("delegate", title, Risk.READ, partial(ask, task, files), paths=files)

    return Tool(schema, Risk.READ, prepare)


def _file(workspace: Workspace, name: str) -> str:
    """The real path of a file to begin with. Raises ToolError."""
    path = locate(workspace, name)
    if look(workspace.root, path) is None:
        raise ToolError(f"there is no file {name}; name files that exist, or none")
    if workspace.is_secret(path):
        raise ToolError(f"{name} may hold secrets: no delegate reads it")
    return path
