"""delegate: a question that needs much reading goes to a second conversation; only its answer comes back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from ctxe.domain.errors import ToolError
from ctxe.domain.tool import Action, Progress, Risk, Tool, ToolOutput
from ctxe.repo.undo.rewrite import look
from ctxe.tools.arguments import checked
from ctxe.tools.prose import STRING, STRINGS, describe
from ctxe.tools.workspace import Workspace, locate

Ask = Callable[[str, Sequence[str]], Iterator[Progress | ToolOutput]]
"""A question and the files to begin with → what is done for it, as it comes, then the answer."""

SHOWN = 80
"""Characters of a question in one line."""


def delegate(workspace: Workspace, ask: Ask) -> Tool:
    """The tool. Whoever answers reads only, so it is decided on as a read of the files that are named."""
    schema = describe("delegate", {"task": STRING, "files": STRINGS}, ("task",))

    def prepare(arguments: Mapping[str, Any]) -> Action:
        given = checked(schema, arguments)
        task = given["task"].strip()
        if not task:
            raise ToolError("task is empty; ask the whole question in it")
        files = tuple(dict.fromkeys(_file(workspace, name) for name in given.get("files", ())))
        title = f"delegate {' '.join(task.split())[:SHOWN]}"
        return Action("delegate", title, Risk.READ, partial(ask, task, files), paths=files)

    return Tool(schema, Risk.READ, prepare)


def _file(workspace: Workspace, name: str) -> str:
    """The real path of a file to begin with. Raises ToolError."""
    path = locate(workspace, name)
    if look(workspace.root, path) is None:
        raise ToolError(f"there is no file {name}; name files that exist, or none")
    if workspace.secret(path):
        raise ToolError(f"{name} may hold secrets: no delegate reads it")
    return path
