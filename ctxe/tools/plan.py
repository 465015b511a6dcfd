"""plan: which files bear on a task, as the planner ranks them; for a delegate, whose reading begins with finding."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from ctxe.domain.errors import ToolError
from ctxe.domain.tool import Action, Risk, Tool, ToolOutput, once
from ctxe.tools.arguments import checked
from ctxe.tools.prose import STRING, describe

Rank = Callable[[str], str]
"""A task in words → a line a file, best first; empty when nothing bears on it."""


def plan(rank: Rank) -> Tool:
    """The tool."""
    schema = describe("plan", {"task": STRING}, ("task",))

    def prepare(arguments: Mapping[str, Any]) -> Action:
        task = " ".join(checked(schema, arguments)["task"].split())
        if not task:
            raise ToolError("task is empty; say in words what you look for")
        return Action("plan", f"plan {task[:80]}", Risk.READ, once(partial(_ranked, rank, task)))

    return Tool(schema, Risk.READ, prepare)


def _ranked(rank: Rank, task: str) -> ToolOutput:
    text = rank(task)
    if not text:
        raise ToolError("no file bears on these words; name what it could be called, or search")
    return ToolOutput(text, kind="search", facts={"files": text.count("\n") + 1})
