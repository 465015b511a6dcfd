"""A session's servers, imported and created when first needed: a project without servers pays nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ctxe.config.load import SERVERS_FILE
from ctxe.domain.form import Form, FormAnswers, FormAsker, decline
from ctxe.domain.section import Chunk
from ctxe.domain.value import dataclass

if TYPE_CHECKING:
    from ctxe.project import Project
    from ctxe.project.servers.use import Servers
    from ctxe.tools.mcp.answer import Look


def any_configured(project: Project) -> bool:
    """Does the user or the project configure any server?"""
    file = project.root / SERVERS_FILE
    return bool(project.config.mcp) or file.is_symlink() or file.exists()


def rules(project: Project) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What the user's server settings allow and deny, as permission rules."""
    own = project.config.mcp
    allow = [f"tool:{name}/{tool}" for name, one in own.items() for tool in one.allow]
    return tuple(allow), tuple(f"tool:{name}/{tool}" for name, one in own.items() for tool in one.deny)


@dataclass(slots=True)
class LazyServers:
    """``look`` makes pictures of what servers send; ``asks`` shows their forms to the user."""

    project: Project
    look: Look
    asks: FormAsker = decline
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
        """The servers of this session; None when none is configured."""
        return self.servers if any_configured(self.project) else None

    def news(self) -> list[Chunk]:
        """Notes for the model about resources that changed, as their servers say; starts no server."""
        return self._servers.news() if self._servers is not None else []

    def starting(self) -> list[str]:
        """Names of servers that are starting."""
        return self._servers.running.starting() if self._servers is not None else []

    def _ask(self, form: Form) -> FormAnswers | None:
        """Show a form by the current ``asks``, which is set after the session is made."""
        return self.asks(form)

    def close(self) -> None:
        """End the servers that were started."""
        if self._servers is not None:
            self._servers.running.close()
