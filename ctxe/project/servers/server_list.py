"""A cache of what servers offered last, for requests and completion before a server is asked again."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ctxe.domain.errors import StoreError
from ctxe.domain.section import Chunk, Priority, Section, Task, digest
from ctxe.domain.value import dataclass
from ctxe.knowledge.fence import fence
from ctxe.project.servers.configured import Configured
from ctxe.safety.display import one_line
from ctxe.storage import files
from ctxe.tools.mcp.resources import URI, ServerOffers
from ctxe.tools.mcp.server_tools import NAME, counted

LINE = 30
"""Most tokens for one server in every request."""
HEAD = "Tools of other programs. find_tools tells them for words, `use` with name SERVER/TOOL and arguments calls one."
READS = " SERVER:URI reads a resource."
MOST_KEPT = 200
"""Most resources, and most prompts, to remember per server."""
_TYPED = re.compile(r"[\w.-]{1,128}", re.ASCII)


@dataclass(frozen=True, slots=True)
class ServerNames:
    """What is remembered of a server: tool names, resource URIs, and (name, arguments, description) of prompts."""

    tools: tuple[str, ...]
    resources: tuple[str, ...]
    prompts: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class ServerList:
    """A cache file: for each server a hash of its settings and what it offered."""

    path: Path

    def names(self, server: Configured) -> tuple[str, ...] | None:
        """The tools that a server listed last; None when it never did, or its settings changed since."""
        held = self.kept(server)
        return None if held is None else held.tools

    def kept(self, server: Configured) -> ServerNames | None:
        """What a server offered last; None when it never did, or its settings changed since."""
        held = self._read().get(server.name)
        if not isinstance(held, Mapping) or held.get("of") != _mark(server):
            return None
        return ServerNames(
            tuple(one for one in _texts(held.get("tools")) if NAME.fullmatch(one)),
            tuple(one for one in _texts(held.get("resources")) if URI.fullmatch(one)),
            tuple(row for given in _list(held.get("prompts")) if (row := _prompt(given))),
        )

    def keep(self, server: Configured, offers: ServerOffers) -> None:
        """Save what a server offers for other sessions; an unwritable cache is ignored."""
        rows = [(one.slash_name, one.takes, one_line(one.description, 120)) for one in offers.prompts[:MOST_KEPT]]
        now = ServerNames(
            tuple(tool.name for tool in offers.tools),
            tuple(one.uri for one in offers.resources[:MOST_KEPT]),
            tuple(row for given in rows if (row := _prompt(given))),
        )
        if self.kept(server) == now:
            return
        record = {"of": _mark(server), "tools": now.tools, "resources": now.resources, "prompts": now.prompts}
        files.replace_quickly(self.path, json.dumps({**self._read(), server.name: record}, sort_keys=True).encode())

    def _read(self) -> dict[str, object]:
        try:
            held = json.loads(files.read(self.path, 1_000_000)) if self.path.is_file() else {}
        except (StoreError, ValueError, RecursionError):
            return {}
        return held if isinstance(held, dict) else {}


@dataclass(frozen=True)
class ServerLines:
    """A Source with one line for each server that may be started."""

    servers: Callable[[], Iterable[Configured]]
    listed: ServerList
    count: Callable[[str], int]

    def offer(self, task: Task, room: int) -> Sequence[Section]:
        """The standing section; none without servers. Never raises."""
        known = [(one, self.listed.kept(one)) for one in self.servers()]
        if not known:
            return []
        head = HEAD + (READS if any(kept and kept.resources for _, kept in known) else "")
        text = fence("\n".join([head, *(self._line(one.name, kept) for one, kept in known)]), "", "mcp").text
        chunk = Chunk("servers", text, "servers whose tools may be used; /mcp shows them")
        return [Section("servers", Priority.INJECTED, (chunk,), "system", "skills")]

    def _line(self, name: str, kept: ServerNames | None) -> str:
        """A server with as many of its tool names as fit."""
        if kept is None:
            return f"- {name}"
        if not kept.tools:
            return f"- {name}: {counted(kept.resources, 'resource') if kept.resources else 'no tools'}"
        resources = f", {counted(kept.resources, 'resource')}" if kept.resources else ""
        head = f"- {name} ({counted(kept.tools, 'tool')}{resources})"
        for most in range(len(kept.tools), 0, -1):
            text = f"{head}: {', '.join(kept.tools[:most])}{', …' if most < len(kept.tools) else ''}"
            if self.count(text) <= LINE:
                return text
        return head


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _texts(value: object) -> list[str]:
    return [one for one in _list(value) if isinstance(one, str)]


def _prompt(given: Any) -> tuple[str, str, str] | None:
    """A row of the cache as a prompt; None for an invalid one, since the cache lies in the repository."""
    match given:
        case [str(name), str(takes), str(says)] if _TYPED.fullmatch(name):
            return name, one_line(takes, 200), one_line(says, 120)
    return None


def _mark(server: Configured) -> str:
    return digest(repr(server.settings))
