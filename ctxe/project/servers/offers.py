"""Describes what servers offer to the model: the best matches of a query, or one server within a token budget."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ctxe.storage.vocabulary import count
from ctxe.tools.mcp.resources import Resource, ServerOffers, resource_line, resources_page
from ctxe.tools.mcp.server_tools import ServerTool, described, tool_line, tools_page

if TYPE_CHECKING:
    from ctxe.tools.mcp.connection import Connection

MOST_FOUND = 8
SHARE = 0.4
"""Share of a page for resources when the tools would fill it."""


def paged(name: str, held: Connection, room: int, counted: Callable[[str], int] = count) -> str:
    """A server's instructions, tools and resources in at most ``room`` tokens."""
    offers = held.offers
    if not offers.resources:
        return tools_page(name, offers.tools, held.instructions, room, counted)
    tools = tools_page(name, offers.tools, held.instructions, round(room * (1 - SHARE)), counted)
    return f"{tools}\n{resources_page(name, offers.resources, room - counted(tools), counted)}"


def tokens(name: str, held: Connection) -> int:
    """Tokens of the full page of a connected server."""
    return count(paged(name, held, 1 << 30, len))


def best(query: str, servers: Sequence[tuple[str, ServerOffers]]) -> list[str]:
    """A line for each tool and resource whose name or description matches the query, best first."""
    from ctxe.lexical.bm25 import Corpus, FieldWeight
    from ctxe.lexical.words import path_terms as parts
    from ctxe.lexical.words import term_counts, terms

    every: list[tuple[str, ServerTool | Resource]] = []
    for name, offers in servers:
        every += [(name, tool) for tool in offers.tools]
        every += [(name, resource) for resource in offers.resources]
    index = Corpus({"name": FieldWeight(2.0, 0.3), "says": FieldWeight(1.0)})
    for number, (name, one) in enumerate(every):
        called, says = _words(one)
        named = dict.fromkeys(parts(f"{name}/{called}"), 1)
        index.add(f"{number:04d}", {"name": named, "says": term_counts(says[:2_000])})
    hits = index.top(dict.fromkeys(terms(query), 1.0), MOST_FOUND)
    return [_row(*every[int(hit.key)]) for hit in hits]


def _words(one: ServerTool | Resource) -> tuple[str, str]:
    """The texts of a tool or a resource to search: its name and its description."""
    if isinstance(one, ServerTool):
        return one.name, one.description
    return one.uri.replace(":", "/"), f"{one.name} {one.description}"


def _row(name: str, one: ServerTool | Resource) -> str:
    if isinstance(one, ServerTool):
        return f"{tool_line(name, one)} ({count(described(name, one))} tokens)"
    return resource_line(name, one)
