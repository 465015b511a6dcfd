"""find_tools and use: two fixed tools that give access to everything loaded later, so that no tool schema changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from ctxe.domain.errors import ToolError
from ctxe.domain.tool import Action, Risk, Tool, ToolOutput, without_progress
from ctxe.tools.arguments import parse_arguments
from ctxe.tools.schemas import STRING, describe

Find = Callable[[str], str]
"""Finds skills and tools by words and describes them for the model; empty when none match."""
Prepare = Callable[[str, Mapping[str, Any]], Action]
"""Makes the inner action, on which permission is decided, from a name and arguments. Raises ToolError."""


def find_tools(find: Find) -> Tool:
    """The tool that finds what can be loaded, by words."""
    schema = describe("find_tools", {"query": STRING})

    def prepare(arguments: Mapping[str, Any]) -> Action:
        query = str(parse_arguments(schema, arguments).get("query", "")).strip()
        title = f"find tools for {query}" if query else "list skills and tools"
        return Action("find_tools", title, Risk.READ, without_progress(partial(_find, find, query)))

    return Tool(schema, Risk.READ, prepare)


def _find(find: Find, query: str) -> ToolOutput:
    text = find(query)
    if not text:
        raise ToolError(f"nothing matches {query}" if query else "there are no skills here")
    return ToolOutput(text)


def use(inner: Prepare) -> Tool:
    """The tool that uses a skill, one of its files or tools, or whatever else ``inner`` knows by name."""
    schema = describe("use", {"name": STRING, "arguments": {"type": "object"}}, ("name",))

    def prepare(arguments: Mapping[str, Any]) -> Action:
        parsed = parse_arguments(schema, arguments)
        name = parsed["name"].strip()
        name = name if "://" in name else name.strip("/")  # a slash at the end of a URL matters
        if not name:
            raise ToolError("name is empty; find_tools lists the names")
        return inner(name, parsed.get("arguments") or {})

    return Tool(schema, Risk.EXECUTE, prepare)
