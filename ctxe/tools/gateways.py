"""find_tools and use: the two fixed tools through which all that is loaded on the way is reached; no schema changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from ctxe.domain.errors import ToolError
from ctxe.domain.tool import Action, Risk, Tool, ToolOutput, once
from ctxe.tools.arguments import checked
from ctxe.tools.prose import STRING, describe

Find = Callable[[str], str]
"""Words → what there is for them, for the model; empty when there is nothing."""
Prepare = Callable[[str, Mapping[str, Any]], Action]
"""A name and its arguments → the inner action, on which permission is decided. Raises ToolError."""


def find_tools(find: Find) -> Tool:
    """What can be loaded, by words."""
    schema = describe("find_tools", {"query": STRING})

    def prepare(arguments: Mapping[str, Any]) -> Action:
        query = str(checked(schema, arguments).get("query", "")).strip()
        title = f"find tools for {query}" if query else "list skills and tools"
        return Action("find_tools", title, Risk.READ, once(partial(_found, find, query)))

    return Tool(schema, Risk.READ, prepare)


def _found(find: Find, query: str) -> ToolOutput:
    text = find(query)
    if not text:
        raise ToolError(f"nothing bears on {query}" if query else "there are no skills here")
    return ToolOutput(text)


def use(inner: Prepare) -> Tool:
    """A module, a file of it, or one of its tools; what happens is the inner action, decided as such."""
    schema = describe("use", {"name": STRING, "arguments": {"type": "object"}}, ("name",))

    def prepare(arguments: Mapping[str, Any]) -> Action:
        given = checked(schema, arguments)
        name = given["name"].strip()
        name = name if "://" in name else name.strip("/")  # of an address every sign counts
        if not name:
            raise ToolError("name is empty; find_tools lists what there is")
        return inner(name, given.get("arguments") or {})

    return Tool(schema, Risk.EXECUTE, prepare)
