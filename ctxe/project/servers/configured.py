"""Which servers are configured, by the user or by the project, and whether each may be started."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ctxe.config.keys import SERVER_NAME, SERVERS, validate_servers
from ctxe.config.load import SERVERS_FILE, from_table
from ctxe.config.values import ServerSettings
from ctxe.domain.errors import ConfigError, StoreError
from ctxe.domain.section import digest
from ctxe.domain.value import dataclass, fields
from ctxe.project.place import home_of
from ctxe.safety.display import one_line
from ctxe.safety.trust import approval, approve, forget
from ctxe.storage.files import read

if TYPE_CHECKING:
    from ctxe.project import Project

MOST_READ, MOST_SERVERS, MOST_NAME = 200_000, 50, 1_000
"""Limits: bytes of that file, servers in it, and characters of a word that may name a file."""
OWN_ONLY = ("allow", "deny", "enabled", "folders")
"""Settings that a project cannot make for its servers."""
State = Literal["yours", "approved", "new", "changed", "off", "elsewhere", "wrong"]


@dataclass(frozen=True, slots=True)
class Configured:
    """A server by name. ``content`` is what a person approves: all that would run. A change asks again.

    ``problem`` says why it cannot be used (state "wrong").
    """

    name: str
    settings: ServerSettings
    origin: str
    state: State
    content: str = ""
    problem: str = ""

    @property
    def usable(self) -> bool:
        """May it be started?"""
        return self.state in ("yours", "approved")


def configured(project: Project) -> tuple[Configured, ...]:
    """Every server, the user's first; a project cannot replace one. A bad project file never raises."""
    own = project.config.mcp
    own_servers = [Configured(name, one, "yours", _state(project, one)) for name, one in own.items()]
    return (*own_servers, *(one for one in _project_servers(project) if one.name not in own))


def _state(project: Project, settings: ServerSettings) -> State:
    """Whether a server of the user's is enabled for this project."""
    home = home_of(project.environment)
    places = [os.path.realpath(re.sub(r"\A~(?=/|\Z)", str(home), folder)) for folder in settings.folders]
    within = not places or any(Path(os.path.realpath(project.root)).is_relative_to(place) for place in places)
    return "off" if not settings.enabled else "yours" if within else "elsewhere"


def named(project: Project, name: str) -> Configured:
    """The server of this name. Raises ConfigError."""
    every = {one.name: one for one in configured(project)}
    if name not in every:
        known = ", ".join(every) or "none"
        raise ConfigError(f"there is no server {name!r}", f"there are: {known}; `ctxe mcp add NAME -- COMMAND`")
    return every[name]


def accept(project: Project, server: Configured) -> None:
    """Remember the user's approval of exactly this content. Raises StoreError."""
    approve(project.place.user, project.root, mark(server.name), server.content)


def withdraw(project: Project, name: str) -> bool:
    """Withdraw the approval of a server and of its tools; False when there was none. Raises StoreError."""
    return forget(project.place.user, project.root, mark(name))


def mark(name: str) -> str:
    """The key of a server in the trust store; the keys of its tools begin with it."""
    return f"mcp:{name}"


def _project_servers(project: Project) -> Iterator[Configured]:
    """The servers of the project's file, each with the user's answer to exactly its content."""
    path = project.root / SERVERS_FILE
    if not path.is_symlink() and not path.exists():
        return
    try:
        table = json.loads(read(path, MOST_READ))["mcpServers"]
        servers = list(table.items())[:MOST_SERVERS]
    except (StoreError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        problem = error.message if isinstance(error, StoreError) else f"it is not what {SERVERS_FILE} should be"
        yield Configured(SERVERS_FILE, ServerSettings(), SERVERS_FILE, "wrong", problem=problem)
        return
    for name, given in servers:
        yield _project_server(project, name, given)


def _project_server(project: Project, name: str, given: Any) -> Configured:
    from dataclasses import asdict

    shown = one_line(name, 40)
    try:
        settings = _read(name, given)
    except ConfigError as error:
        return Configured(shown, ServerSettings(), SERVERS_FILE, "wrong", problem=one_line(error.message, 160))
    files = {path: digest(_text(project.root / path)) for path in inside(project, settings)}
    content = json.dumps({**asdict(settings), "files": files}, sort_keys=True)
    known = approval(project.place.user, project.root, mark(name), content)
    return Configured(name, settings, SERVERS_FILE, known, content)


def inside(project: Project, settings: ServerSettings) -> list[str]:
    """Files of the project that a command line names; the approval covers their content, too."""
    if settings.url:
        return []
    folder = project.root / settings.cwd
    words = [folder / word for word in (settings.command, *settings.args) if word and len(word) < MOST_NAME]
    real = dict.fromkeys(os.path.realpath(path) for path in words if os.path.isfile(path))  # noqa: PTH113 (never raises)
    home = os.path.realpath(project.root)
    return [os.path.relpath(path, home) for path in real if path.startswith(home + os.sep)]


def _text(path: Path) -> str:
    try:
        return read(path).decode("utf-8", "replace")
    except StoreError:
        return ""


def _read(name: str, given: Any) -> ServerSettings:
    """A server's settings from an entry in Claude Code's format. Raises ConfigError for an invalid one."""
    if not SERVER_NAME.fullmatch(name) or not isinstance(given, Mapping):
        raise ConfigError(f"{name!r} is not a server name", "letters, digits, -, _ and . name a table")
    if given.get("type") not in (None, "stdio", "http", "streamable-http", "streamableHttp"):
        raise ConfigError(f"{name} speaks {given['type']!r:.40}, which ctxe does not", "stdio or http")
    known = {one.name for one in fields(ServerSettings)} - set(OWN_ONLY) - {"timeout", "start_timeout"}
    own = {key: value for key, value in given.items() if key in known}
    validate_servers({name: own}, SERVERS_FILE)
    return from_table(ServerSettings, own)


def refused(project: Project) -> list[str]:
    """Lines for the start of a session: servers of the project without approval, and servers that cannot be used."""
    every = configured(project)
    lines = [f"{one.origin}: server {one.name} cannot be used: {one.problem}" for one in every if one.state == "wrong"]
    for state, how in (("new", "are offered and not started"), ("changed", "were changed and are not started")):
        if names := [one.name for one in every if one.state == state]:
            lines.append(
                f"{SERVERS_FILE}: servers {how}: {', '.join(names)}; `ctxe mcp approve NAME` shows one and asks"
            )
    if any(one.usable for one in every) and not installed():
        lines.append(f"{SERVERS}: servers need the extra `mcp`: pipx install 'ctxe[mcp]', or pip install mcp")
    return lines


def installed() -> bool:
    """Is the protocol's library installed? It is not imported."""
    from importlib.util import find_spec

    return find_spec("mcp") is not None
