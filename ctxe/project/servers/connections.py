"""The running servers of a session: started when first needed, restarted after a change, ended with the session."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from ctxe.domain.errors import ToolError
from ctxe.domain.form import FormAsker, decline
from ctxe.domain.value import dataclass, field
from ctxe.project.secret_guards import text_cleaner
from ctxe.project.servers.configured import Configured, configured, installed
from ctxe.project.servers.launching import launch_of
from ctxe.project.servers.server_list import ServerList
from ctxe.safety.secrets import hide_own
from ctxe.storage import files
from ctxe.tools.mcp.answer import Look, blind
from ctxe.tools.mcp.token_file import secrets

if TYPE_CHECKING:
    from ctxe.project import Project
    from ctxe.tools.mcp.connection import Connection
    from ctxe.tools.mcp.loop import Loop


@dataclass(slots=True)
class Connections:
    """``look`` makes pictures of what servers send; ``asks`` shows their forms to the user."""

    project: Project
    clean: Callable[[str], str]
    look: Look
    asks: FormAsker
    _loop: Loop | None = None
    _known: dict[str, Configured] | None = None
    _open: dict[str, Connection] = field(default_factory=dict)
    _tokens: set[str] = field(default_factory=set)

    @property
    def known(self) -> dict[str, Configured]:
        """Servers that may be started, by name."""
        if self._known is None:
            usable = [one for one in configured(self.project) if one.usable]
            self._known = {one.name: one for one in usable} if usable and installed() else {}
        return self._known

    @property
    def listed(self) -> ServerList:
        """The cache of what servers offered in earlier sessions."""
        return ServerList(self.project.cache / "servers.json")

    @property
    def opened(self) -> Mapping[str, Connection]:
        """Current and former connections, by name of the server."""
        return self._open

    def begin(self, name: str) -> Connection:
        """The connection of a server, which is started if it does not run. Raises ToolError.

        What runs is always what is approved at this moment.
        """
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

    def connected(self, name: str) -> Connection:
        """A connection whose server has listed its tools. Raises ToolError with the reason if it did not."""
        try:
            held = self.begin(name)
            held.wait()
        except ToolError as error:
            raise ToolError(self.clean(self.hidden(name, str(error)))) from None
        self.listed.keep(self.known[name], held.offers)
        return held

    def reached(self, name: str) -> Connection:
        """The same for the user, who may just have approved the server. Raises ToolError."""
        if name not in self.known:
            self.refresh()
        if name not in self.known:
            raise ToolError("it may not be started here" if installed() else "it needs the extra `mcp`")
        return self.connected(name)

    def restart(self, name: str) -> Connection:
        """End a server and start it again. Raises ToolError."""
        self.refresh()
        self.forget(name)
        return self.reached(name)

    def forget(self, name: str) -> None:
        """End a server. When it is needed again, it starts with the settings of then."""
        if (held := self._open.pop(name, None)) and (ending := held.close()):
            ending.result()

    def refresh(self) -> None:
        """Check again which servers may be started, for instance after an approval."""
        self._known = None

    def starting(self) -> list[str]:
        """Names of servers that were started and have not listed their tools yet."""
        return [name for name, held in list(self._open.items()) if held.state == "connecting"]

    def close(self) -> None:
        """End every server and the processes it started."""
        ending = [one for held in self._open.values() if (one := held.close())]
        for one in ending:
            one.result()
        self._open.clear()
        if self._loop is not None:
            self._loop.close()

    def hidden(self, name: str, text: str) -> str:
        """The text without tokens of the server's sign-in, earlier ones included, whichever server repeats them."""
        if held := self._open.get(name):
            self._tokens.update(secrets(held.launch.signed))
        return hide_own(text, tuple(self._tokens))[0] if self._tokens else text

    def _log(self, name: str, text: str) -> None:
        """Save a server's standard error for people."""
        folder = self.project.cache / "servers"
        text = self.clean(self.hidden(name, text))
        files.replace_quickly(folder / f"{name}.log", text.encode("utf-8", "replace"))


def connections(project: Project, look: Look = blind, asks: FormAsker = decline) -> Connections:
    """The connections of a project's servers; the caller closes them."""
    return Connections(project, text_cleaner(project.own_keys), look, asks)
