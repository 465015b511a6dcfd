"""How the model and the user use a session's servers: find and describe tools, call them, read resources."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from ctxe.domain.errors import ToolError
from ctxe.domain.section import Chunk
from ctxe.domain.tool import Action, Risk, ToolOutput, without_progress
from ctxe.domain.value import dataclass
from ctxe.knowledge.fence import fence
from ctxe.project.servers.actions import TAG, ServerActions
from ctxe.project.servers.connections import Connections
from ctxe.project.servers.offers import best, paged
from ctxe.safety.display import one_line
from ctxe.tools.mcp.resources import ServerOffers, ServerPrompt
from ctxe.tools.mcp.server_tools import counted

LEAST_PAGE = 1_000
"""Tokens that a server's page may always take."""


@dataclass(frozen=True, slots=True)
class Servers:
    """The servers of a session; ``room`` gives the tokens for a page about one of them."""

    running: Connections
    room: Callable[[], int]

    def found(self, query: str) -> str:
        """Tools that match the words, best first, each with its description's tokens; all servers without words."""
        if not self.running.known:
            return ""
        names = tuple(self.running.known)
        for name in names:  # all start at the same time
            with contextlib.suppress(ToolError):
                self.running.begin(name)
        rows, every = list[str](), list[tuple[str, ServerOffers]]()
        for name in names:
            try:
                every.append((name, self.running.connected(name).offers))
            except ToolError as error:
                rows.append(f"- {name}: cannot be reached: {error}")
        rows = best(query, every) + rows if query else rows + [row for one in every for row in _overview(*one)]
        return fence(self.running.hidden("", "\n".join(rows)), "find_tools", TAG).text if rows else ""

    def prepare(self, name: str, arguments: Mapping[str, Any]) -> Action | None:
        """The action of ``use`` for a server or one of its tools or resources; else None. Raises ToolError."""
        server, sign, rest = split_name(name)
        if server not in self.running.known:
            return None
        if not rest:
            return Action(
                "use", f"read the tools of {server}", Risk.READ, without_progress(partial(self._page, server))
            )
        acting = self._acting(server)
        return acting.resource(rest, arguments) if sign == ":" else acting.tool(rest, arguments)

    def prompt(self, name: str, given: Callable[[ServerPrompt], Mapping[str, str]]) -> Action:
        """The action of ``/SERVER:PROMPT``; ``given`` makes its arguments. Raises ToolError and errors of ``given``."""
        server, _, typed = name.partition(":")
        acting = self._acting(server)
        found = {one.slash_name: one for one in acting.held.offers.prompts}
        if typed not in found:
            names = ", ".join(found) or "none"
            raise ToolError(f"{server} has no prompt {typed}; there are: {names}")
        return acting.prompt(found[typed], given(found[typed]))

    def news(self) -> list[Chunk]:
        """A note for each read resource that changed, as its server says; each change is reported once."""
        notes = []
        for name, held in self.running.opened.items():
            for uri in held.changes.news():
                full = f"{name}:{one_line(uri, 200)}"
                text = f"[ctxe: {full} changed since you last saw it. `use` reads it again before you rely on it.]"
                notes.append(Chunk(f"resource {full}", text, "its server says that it changed", "name"))
        return notes

    def _acting(self, server: str) -> ServerActions:
        running = self.running
        held, again = running.connected(server), partial(running.connected, server)
        return ServerActions(running.project, running.known[server], held, again, partial(running.hidden, server))

    def _page(self, name: str) -> ToolOutput:
        held = self.running.connected(name)
        text = paged(name, held, max(self.room(), LEAST_PAGE))
        return ToolOutput(fence(self.running.hidden(name, text), name, TAG).text, kind="read")


def split_name(name: str) -> tuple[str, str, str]:
    """(server, ``/`` or ``:``, the rest) of a name such as ``SERVER/TOOL`` or ``SERVER:URI``."""
    found = re.match(r"([^/:]*)([/:]?)(.*)", name, re.S)
    assert found is not None
    return found[1], found[2], found[3]


def _overview(name: str, offers: ServerOffers) -> list[str]:
    """A server's tools by name, and the number of its resources."""
    tools = ", ".join(tool.name for tool in offers.tools)
    more = f"{counted(offers.resources, 'resource')}, told by `use` with name {name}" if offers.resources else ""
    return [f"- {name}: {part}" for part in (tools, more) if part]
