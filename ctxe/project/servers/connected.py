"""A session's servers: connected when the model or the user first asks for one, their tools found, told and called."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import field
from functools import partial
from typing import TYPE_CHECKING, Any

from ctxe.domain.errors import StoreError, ToolError
from ctxe.domain.tool import Action, Progress, Risk, ToolOutput, once
from ctxe.domain.value import dataclass
from ctxe.knowledge.fence import fence
from ctxe.project.guarding import cleaning
from ctxe.project.servers.configured import Configured, configured, installed, launch_of, mark
from ctxe.project.servers.listed import Listed
from ctxe.safety.display import one_line
from ctxe.safety.trust import approval, approve
from ctxe.storage import files
from ctxe.storage.vocabulary import count
from ctxe.tools.mcp.offer import Offered, described, line, page

if TYPE_CHECKING:
    from ctxe.project import Project
    from ctxe.tools.mcp.connection import Connection
    from ctxe.tools.mcp.loop import Loop

TAG = "mcp"
MOST_FOUND = 8
LEAST_PAGE = 1_000
"""Tokens that a server's page may always have."""
CHANGED = "its server describes it otherwise than when it was last allowed"


@dataclass(slots=True)
class Servers:
    """The servers that may be started here. ``room`` gives the tokens that a page may have."""

    project: Project
    room: Callable[[], int]
    clean: Callable[[str], str]
    _loop: Loop | None = None
    _known: dict[str, Configured] | None = None
    _open: dict[str, Connection] = field(default_factory=dict)

    @property
    def known(self) -> dict[str, Configured]:
        """What may be started, by name."""
        if self._known is None:
            usable = [one for one in configured(self.project) if one.usable]
            self._known = {one.name: one for one in usable} if usable and installed() else {}
        return self._known

    @property
    def listed(self) -> Listed:
        """What is remembered of servers' tools from earlier sessions."""
        return Listed(self.project.cache / "servers.json")

    def found(self, query: str) -> str:
        """Tools for words, best first, with what each costs to describe; all servers without words."""
        if not self.known:
            return ""
        names = tuple(self.known)
        for name in names:  # all on the way at once
            with contextlib.suppress(ToolError):
                self._begun(name)
        rows, tools = list[str](), list[tuple[str, Offered]]()
        for name in names:
            try:
                tools += [(name, tool) for tool in self._connected(name).tools]
            except ToolError as error:
                rows.append(f"- {name}: cannot be reached: {error}")
        chosen = _best(query, tools) if query else tools
        if query:
            rows = [f"{line(name, tool)} ({count(described(name, tool))} tokens)" for name, tool in chosen] + rows
        else:
            listed = {name: [tool.name for of, tool in tools if of == name] for name in names}
            rows += [f"- {name}: {', '.join(its)}" for name, its in listed.items() if its]
        return fence("\n".join(rows), "find_tools", TAG).text if rows else ""

    def prepare(self, name: str, arguments: Mapping[str, Any]) -> Action | None:
        """What ``use`` does for a name of a server or a tool of one; None for any other. Raises ToolError."""
        server, _, tool = name.partition("/")
        if server not in self.known:
            return None
        if not tool:
            return Action("use", f"read the tools of {server}", Risk.READ, once(partial(self._page, server)))
        found = {one.name: one for one in self._connected(server).tools}
        if tool not in found:
            raise ToolError(f"{server} has no tool {tool}; `use` with name {server} tells all of them")
        offered = found[tool]
        if missing := [one for one in offered.required if one not in arguments]:
            said = fence(described(server, offered), f"{server}/{tool}", TAG).text
            if arguments:
                raise ToolError(f"{server}/{tool} needs {', '.join(missing)} in arguments\n{said}")
            return Action("use", f"read what {server}/{tool} takes", Risk.READ, once(partial(ToolOutput, said)))
        return self._call(server, offered, arguments)

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
        if (held := self._open.pop(name, None)) and (ending := held.close()):
            ending.result()
        return self.reached(name)

    def refresh(self) -> None:
        """Look again at which servers may be started: the user has just said yes to one."""
        self._known = None

    def opened(self) -> Mapping[str, Connection]:
        """The connections there are or were, by name of the server."""
        return self._open

    def tokens(self, name: str) -> int:
        """What a whole page of a connected server's tools costs."""
        held = self._open[name]
        return count(page(name, held.tools, held.instructions, 1 << 30, len))

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
            held = self._open[name] = Connection(launch, self._loop, partial(self._log, name))
        held.start()
        return held

    def _connected(self, name: str) -> Connection:
        """A server that has told its tools. Raises ToolError with why it has not."""
        try:
            held = self._begun(name)
            held.wait()
        except ToolError as error:
            raise ToolError(self.clean(str(error))) from None
        self.listed.keep(self.known[name], [tool.name for tool in held.tools])
        return held

    def _page(self, name: str) -> ToolOutput:
        held = self._connected(name)
        room = max(self.room(), LEAST_PAGE)
        return ToolOutput(fence(page(name, held.tools, held.instructions, room, count), name, TAG).text, kind="read")

    def _call(self, server: str, tool: Offered, arguments: Mapping[str, Any]) -> Action:
        """A call as it would run: a person is asked with all of its arguments, whatever the server says of itself."""
        full = f"{server}/{tool.name}"
        given = json.dumps(arguments, ensure_ascii=False, indent=1) if arguments else "(no arguments)"
        settings = self.known[server].settings
        place = settings.url or " ".join((settings.command, *settings.args))
        return Action(
            full,
            f"call {full} {one_line(json.dumps(arguments, ensure_ascii=False), 100) if arguments else ''}".rstrip(),
            Risk.NETWORK if settings.url else Risk.EXECUTE,
            partial(self._run, server, tool, arguments),
            preview=f"{given}\nserver: {one_line(place, 300)}",
            changed=CHANGED if self._trusted(server, tool) == "changed" else "",
        )

    def _run(self, server: str, tool: Offered, arguments: Mapping[str, Any]) -> Iterator[Progress | ToolOutput]:
        """Run an allowed call; the yes is to the tool as it is described now."""
        if self._trusted(server, tool) != "approved":
            place = self.project.place.user
            try:
                approve(place, self.project.root, f"{mark(server)}/{tool.name}", tool.mark)
            except StoreError as error:
                raise ToolError(f"the answer cannot be kept: {error.message}") from None
        held = self._connected(server)
        for piece in held.call(tool.name, arguments):
            if isinstance(piece, ToolOutput):
                text = fence(piece.text, f"{server}/{tool.name}", TAG).text
                yield ToolOutput(text, piece.ok, piece.text)
            else:
                yield piece

    def _trusted(self, server: str, tool: Offered) -> str:
        return approval(self.project.place.user, self.project.root, f"{mark(server)}/{tool.name}", tool.mark)

    def _log(self, name: str, text: str) -> None:
        """Keep what a server said on standard error, for people."""
        folder = self.project.cache / "servers"
        files.replace_quickly(folder / f"{name}.log", self.clean(text).encode("utf-8", "replace"))


def servers_of(project: Project) -> Servers:
    """The servers that may be started in a project; to be closed."""
    return Servers(project, lambda: project.budget.room("skills"), cleaning(project.own_keys))


def _best(query: str, tools: list[tuple[str, Offered]]) -> list[tuple[str, Offered]]:
    """The tools whose names and descriptions have words of the query, best first."""
    from ctxe.lexical.bm25 import Corpus, Field
    from ctxe.lexical.words import counts, terms
    from ctxe.lexical.words import path_terms as parts

    index = Corpus({"name": Field(2.0, 0.3), "says": Field(1.0)})
    for number, (name, tool) in enumerate(tools):
        named = dict.fromkeys(parts(f"{name}/{tool.name}"), 1)
        index.add(f"{number:04d}", {"name": named, "says": counts(tool.description[:2_000])})
    hits = index.top(dict.fromkeys(terms(query), 1.0), MOST_FOUND)
    return [tools[int(hit.key)] for hit in hits]
