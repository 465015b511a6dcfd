"""The names of servers' tools as they were last told: what stands in requests before a server is asked anew."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from ctxe.domain.errors import StoreError
from ctxe.domain.section import Chunk, Priority, Section, Task, digest
from ctxe.domain.value import dataclass
from ctxe.knowledge.fence import fence
from ctxe.project.servers.configured import Configured
from ctxe.storage import files
from ctxe.tools.mcp.offer import NAME, number

LINE = 30
"""Tokens that a server may take in every request."""
HEAD = "Tools of other programs. find_tools tells them for words, `use` with name SERVER/TOOL and arguments calls one."


@dataclass(frozen=True, slots=True)
class Listed:
    """A file of the cache: by server, a hash of its settings and the names of its tools."""

    path: Path

    def names(self, server: Configured) -> tuple[str, ...] | None:
        """The tools of a server as they were last told; None when it never was, or its settings changed since."""
        held = self._read().get(server.name)
        if not isinstance(held, Mapping) or held.get("of") != _mark(server):
            return None
        told = held.get("tools")
        names = told if isinstance(told, list) else []
        return tuple(one for one in names if isinstance(one, str) and NAME.fullmatch(one))

    def keep(self, server: Configured, names: Sequence[str]) -> None:
        """Remember the tools of a server for other sessions; a cache that cannot be written is none."""
        if self.names(server) == tuple(names):
            return
        every = {**self._read(), server.name: {"of": _mark(server), "tools": list(names)}}
        files.replace_quickly(self.path, json.dumps(every, sort_keys=True).encode())

    def _read(self) -> dict[str, object]:
        try:
            held = json.loads(files.read(self.path, 1_000_000)) if self.path.is_file() else {}
        except (StoreError, ValueError, RecursionError):
            return {}
        return held if isinstance(held, dict) else {}


@dataclass(frozen=True)
class ServerLines:
    """A Source: a line for each server that may be started, nothing where there is none."""

    servers: Callable[[], Iterable[Configured]]
    listed: Listed
    count: Callable[[str], int]

    def offer(self, task: Task, room: int) -> Sequence[Section]:
        """The standing section. Never raises."""
        rows = [self._line(one) for one in self.servers()]
        if not rows:
            return []
        text = fence("\n".join([HEAD, *rows]), "", "mcp").text
        chunk = Chunk("servers", text, "servers whose tools may be used; /mcp shows them")
        return [Section("servers", Priority.INJECTED, (chunk,), "system", "skills")]

    def _line(self, server: Configured) -> str:
        """A server with as many names of its tools as there is room for."""
        names = self.listed.names(server)
        if not names:
            return f"- {server.name}" + ("" if names is None else ": no tools")
        head = f"- {server.name} ({number(names)})"
        for most in range(len(names), 0, -1):
            text = f"{head}: {', '.join(names[:most])}{', …' if most < len(names) else ''}"
            if self.count(text) <= LINE:
                return text
        return head


def _mark(server: Configured) -> str:
    return digest(repr(server.settings))
