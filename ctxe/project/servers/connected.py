"""A session's servers: connected when the model or the user first asks for one, their tools found, told and called."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from ctxe.domain.errors import ToolError
from ctxe.domain.form import Asks, declined
from ctxe.domain.section import Chunk
from ctxe.domain.tool import Action, Risk, ToolOutput, once
from ctxe.domain.value import dataclass, field
from ctxe.knowledge.fence import fence
from ctxe.project.guarding import cleaning
from ctxe.project.servers.acting import TAG, Acting
from ctxe.project.servers.configured import Configured, configured, installed
from ctxe.project.servers.launching import launch_of
from ctxe.project.servers.listed import ServerList
from ctxe.project.servers.told import best, paged
from ctxe.safety.display import one_line
from ctxe.safety.secrets import hide_own
from ctxe.storage import files
from ctxe.storage.vocabulary import count
from ctxe.tools.mcp.answer import Look, blind
from ctxe.tools.mcp.resources import ServerOffers, ServerPrompt
from ctxe.tools.mcp.resources import number as counted
from ctxe.tools.mcp.tokens import secrets

if TYPE_CHECKING:
    from ctxe.project import Project
    from ctxe.tools.mcp.connection import Connection
    from ctxe.tools.mcp.loop import Loop

LEAST_PAGE = 1_000
"""Tokens that a server's page may always have."""


@dataclass(slots=True)
class Servers:
    """The servers that may be started here. ``room`` gives the tokens that a page may have.

    ``look`` makes pictures of what they send, ``asks`` puts what they ask to the user.
    """

    project: Project
    room: Callable[[], int]
    clean: Callable[[str], str]
    look: Look
    asks: Asks
    _loop: Loop | None = None
    _known: dict[str, Configured] | None = None
    _open: dict[str, Connection] = field(default_factory=dict)
    _tokens: set[str] = field(default_factory=set)

    @property
    def known(self) -> dict[str, Configured]:
        """What may be started, by name."""
        if self._known is None:
            usable = [one for one in configured(self.project) if one.usable]
            self._known = {one.name: one for one in usable} if usable and installed() else {}
        return self._known

    @property
    def listed(self) -> ServerList:
        """What is remembered of servers' tools from earlier sessions."""
        return ServerList(self.project.cache / "servers.json")

    def found(self, query: str) -> str:
        """Tools for words, best first, with what each costs to describe; all servers without words."""
        if not self.known:
            return ""
        names = tuple(self.known)
        for name in names:  # all on the way at once
            with contextlib.suppress(ToolError):
                self._begun(name)
        rows, every = list[str](), list[tuple[str, ServerOffers]]()
        for name in names:
            try:
                every.append((name, self._connected(name).offers))
            except ToolError as error:
                rows.append(f"- {name}: cannot be reached: {error}")
        rows = best(query, every) + rows if query else rows + [row for one in every for row in _all(*one)]
        return fence(self.hidden("", "\n".join(rows)), "find_tools", TAG).text if rows else ""

    def prepare(self, name: str, arguments: Mapping[str, Any]) -> Action | None:
        """What ``use`` does for a name of a server, a tool or a resource of one; None for another. Raises ToolError."""
        server, sign, rest = parted(name)
        if server not in self.known:
            return None
        if not rest:
            return Action("use", f"read the tools of {server}", Risk.READ, once(partial(self._page, server)))
        acting = self._acting(server)
        return acting.resource(rest, arguments) if sign == ":" else acting.tool(rest, arguments)

    def prompt(self, name: str, given: Callable[[ServerPrompt], Mapping[str, str]]) -> Action:
        """What ``/SERVER:PROMPT`` does; ``given`` are its arguments. Raises ToolError, and what ``given`` raises."""
        server, _, typed = name.partition(":")
        acting = self._acting(server)
        found = {one.typed: one for one in acting.held.offers.prompts}
        if typed not in found:
            there = ", ".join(found) or "none"
            raise ToolError(f"{server} has no prompt {typed}; there are: {there}")
        return acting.prompt(found[typed], given(found[typed]))

    def _acting(self, server: str) -> Acting:
        held, again = self._connected(server), partial(self._connected, server)
        return Acting(self.project, self.known[server], held, again, partial(self.hidden, server))

    def reached(self, name: str) -> Connection:
        """A server that has told its tools, started if need be. Raises ToolError."""
        if name not in self.known:
            self.refresh()
        if name not in self.known:
            raise ToolError("it may not be started here" if installed() else "it needs the extra `mcp`")
        return self._connected(name)

    def restart(self, name: str) -> Connection:
        """End a server and begin anew. Raises ToolError."""
        self.refresh()
        self.forget(name)
        return self.reached(name)

    def forget(self, name: str) -> None:
        """End a server; it is started as it is configured then, when it is needed."""
        if (held := self._open.pop(name, None)) and (ending := held.close()):
            ending.result()

    def refresh(self) -> None:
        """Look again at which servers may be started: the user has just said yes to one."""
        self._known = None

    def opened(self) -> Mapping[str, Connection]:
        """The connections there are or were, by name of the server."""
        return self._open

    def news(self) -> list[Chunk]:
        """A note for each resource that its server says has changed since it was read; told once."""
        notes = []
        for name, held in self._open.items():
            for uri in held.changes.news():
                full = f"{name}:{one_line(uri, 200)}"
                text = f"[ctxe: {full} changed since you last saw it. `use` reads it again before you rely on it.]"
                notes.append(Chunk(f"resource {full}", text, "its server says that it changed", "name"))
        return notes

    def starting(self) -> list[str]:
        """Servers that were started and have not told yet what they offer."""
        return [name for name, held in list(self._open.items()) if held.state == "connecting"]

    def tokens(self, name: str) -> int:
        """What a whole page of what a connected server offers costs."""
        return count(paged(name, self._open[name], 1 << 30, len))

    def close(self) -> None:
        """End every server and what it started."""
        ending = [one for held in self._open.values() if (one := held.close())]
        for one in ending:
            one.result()
        self._open.clear()
        if self._loop is not None:
            self._loop.close()

    def _begun(self, name: str) -> Connection:
        """A server that runs, started if it does not. Raises ToolError: what runs is what is allowed at this moment."""
        held = self._open.get(name)
        if held is not None and held.runs():
            return held
        self.refresh()
        if name not in self.known:
            self._open.pop(name, None)
            raise ToolError(f"it was changed since it was approved; the user may look at it: /mcp approve {name}")
        launch = launch_of(self.project, self.known[name])
        if held is None or held.launch != launch:
            from ctxe.tools.mcp.connection import Connection
            from ctxe.tools.mcp.loop import Loop

            self._loop = self._loop or Loop()
            held = self._open[name] = Connection(launch, self._loop, partial(self._log, name), self.look)
            held.asks = self.asks
        held.start()
        self.hidden(name, "")
        return held

    def _connected(self, name: str) -> Connection:
        """A server that has told its tools. Raises ToolError with why it has not."""
        try:
            held = self._begun(name)
            held.wait()
        except ToolError as error:
            raise ToolError(self.clean(self.hidden(name, str(error)))) from None
        self.listed.keep(self.known[name], held.offers)
        return held

    def _page(self, name: str) -> ToolOutput:
        held = self._connected(name)
        room = max(self.room(), LEAST_PAGE)
        return ToolOutput(fence(self.hidden(name, paged(name, held, room)), name, TAG).text, kind="read")

    def hidden(self, name: str, text: str) -> str:
        """A text from outside without the tokens of its server's sign-in, those of before too, whoever repeats them."""
        if held := self._open.get(name):
            self._tokens.update(secrets(held.launch.signed))
        return hide_own(text, tuple(self._tokens))[0] if self._tokens else text

    def _log(self, name: str, text: str) -> None:
        """Keep what a server said on standard error, for people."""
        folder = self.project.cache / "servers"
        text = self.clean(self.hidden(name, text))
        files.replace_quickly(folder / f"{name}.log", text.encode("utf-8", "replace"))


def servers_of(project: Project, look: Look = blind, asks: Asks = declined) -> Servers:
    """The servers that may be started in a project; to be closed."""
    return Servers(project, lambda: project.budget.room("skills"), cleaning(project.own_keys), look, asks)


def parted(name: str) -> tuple[str, str, str]:
    """A server, the sign behind its name, and what it is asked for: ``SERVER/TOOL``, ``SERVER:URI``."""
    found = re.match(r"([^/:]*)([/:]?)(.*)", name, re.S)
    assert found is not None
    return found[1], found[2], found[3]


def _all(name: str, offers: ServerOffers) -> list[str]:
    """A server's tools by name, and how many resources it has."""
    tools = ", ".join(tool.name for tool in offers.tools)
    more = f"{counted(offers.resources)}, told by `use` with name {name}" if offers.resources else ""
    return [f"- {name}: {part}" for part in (tools, more) if part]
