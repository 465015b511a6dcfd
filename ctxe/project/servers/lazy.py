"""A session's servers, made and imported when they are first asked for: where there is none they cost nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ctxe.config.load import SERVERS_FILE
from ctxe.domain.form import Asks, Filled, Form, declined
from ctxe.domain.section import Chunk
from ctxe.domain.value import dataclass

if TYPE_CHECKING:
    from ctxe.project import Project
    from ctxe.project.servers.use import Servers
    from ctxe.tools.mcp.answer import Look


def any_named(project: Project) -> bool:
    """Does anybody, the user or the project, name a server at all?"""
    file = project.root / SERVERS_FILE
    return bool(project.config.mcp) or file.is_symlink() or file.exists()


def rules(project: Project) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What the user's settings of servers allow and deny, as rules of permissions."""
    own = project.config.mcp
    allow = [f"tool:{name}/{tool}" for name, one in own.items() for tool in one.allow]
    return tuple(allow), tuple(f"tool:{name}/{tool}" for name, one in own.items() for tool in one.deny)


@dataclass(slots=True)
class LazyServers:
    """``look`` makes pictures of what servers send, ``asks`` puts what they ask to the user."""

    project: Project
    look: Look
    asks: Asks = declined
    _servers: Servers | None = None

    @property
    def servers(self) -> Servers:
        """The servers of this session."""
        if self._servers is None:
            from ctxe.project.servers.connections import connections
            from ctxe.project.servers.use import Servers

            running = connections(self.project, self.look, self._ask)
            self._servers = Servers(running, lambda: self.project.budget.room("skills"))
        return self._servers

    @property
    def named(self) -> Servers | None:
        """The servers of this session where any is named."""
        return self.servers if any_named(self.project) else None

    def news(self) -> list[Chunk]:
        """Notes for the model about what servers say has changed; nothing is opened for that."""
        return self._servers.news() if self._servers is not None else []

    def starting(self) -> list[str]:
        """Servers that are on the way."""
        return self._servers.running.starting() if self._servers is not None else []

    def _ask(self, form: Form) -> Filled | None:
        """Whoever ``asks`` by then: the face of a session is made after it."""
        return self.asks(form)

    def close(self) -> None:
        """End what was started."""
        if self._servers is not None:
            self._servers.running.close()
