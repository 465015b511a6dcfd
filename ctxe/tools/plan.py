"""plan: the files that matter for a task, ranked by the planner, so that a delegate finds where to read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from ctxe.domain.errors import ToolError
from ctxe.domain.tool import Action, Risk, Tool, ToolOutput, without_progress
from ctxe.tools.arguments import parse_arguments
from ctxe.tools.schemas import STRING, describe

Rank = Callable[[str], str]
"""Gives for a task one line per file, best first; empty when no file fits."""


def plan(rank: Rank) -> Tool:
    """The tool."""
    schema = describe("plan", {"task": STRING}, ("task",))

    def prepare(arguments: Mapping[str, Any]) -> Action:
        task = " ".join(parse_arguments(schema, arguments)["task"].split())
        if not task:
            raise ToolError("task is empty; say in words what you look for")
        return Action("plan", f"plan {task[:80]}", Risk.READ, without_progress(partial(_rank, rank, task)))

    return Tool(schema, Risk.READ, prepare)


def _rank(rank: Rank, task: str) -> ToolOutput:
    text = rank(task)
    if not text:
        raise ToolError("no file fits these words; try a likely file name, or search")
    return ToolOutput(text, kind="search", facts={"files": text.count("\n") + 1})
