"""Signs the user in at a server's URL, and out again; the tokens are kept in the user's own folder."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ctxe.domain.errors import ConfigError, CtxeError, StoreError, ToolError
from ctxe.domain.value import dataclass, replace
from ctxe.project.servers.configured import Configured, installed, named
from ctxe.project.servers.launching import launch_of, tokens_file
from ctxe.safety.display import one_line
from ctxe.safety.programs import find_program, outside
from ctxe.safety.secrets import clean_environment
from ctxe.storage import files
from ctxe.tools.mcp.token_file import read_record

if TYPE_CHECKING:
    from ctxe.project import Project
    from ctxe.tools.mcp.connection import Connection
    from ctxe.tools.mcp.login import Login

LONGEST = 600.0
"""Seconds that a person has for the sign-in in the browser."""
REVOKE_SECONDS = 5.0
OPENERS = {"darwin": "open", "win32": "explorer"}


def signed_in(project: Project, server: Configured) -> bool:
    """Does the user have tokens for this server?"""
    with contextlib.suppress(ToolError):
        return bool(server.usable and server.settings.url and launch_of(project, server).signed)
    return False


@dataclass(frozen=True, slots=True)
class SignInDialog:
    """Callbacks to talk with the user.

    ``open`` gets the URL to open; ``pasted`` waits a moment for a URL that the user pastes (empty: nothing yet);
    ``odd`` says that it was the wrong one.
    """

    open: Callable[[str], object]
    pasted: Callable[[], str]
    odd: Callable[[], object]


def login(
    project: Project, name: str, talk: SignInDialog, client: tuple[str, str] = ("", ""), port: int = 0
) -> Connection:
    """Let the user sign in at a server; returns the connection, closed. Raises CtxeError, KeyboardInterrupt.

    ``client`` is ctxe's client id and secret, for servers that do not register clients themselves.
    """
    server = _reachable(project, name)
    from ctxe.tools.mcp.connection import Connection
    from ctxe.tools.mcp.login import Client, Login
    from ctxe.tools.mcp.loop import Loop

    loop = Loop()
    under_way = Login(loop, Client(*client) if client[0] else None, port)
    with contextlib.closing(loop):
        try:
            launch = launch_of(project, server)
            signed = tokens_file(project, server, launch.url)
            held = Connection(replace(launch, signed=signed, login=under_way, start_timeout=LONGEST), loop)
            held.start()
            _wait_for_user(held, under_way, talk)
            held.wait()
            if ending := held.close():
                ending.result()
        except (ToolError, StoreError) as error:
            raise CtxeError(f"server {name}: {one_line(str(error), 400)}", "nothing was kept") from None
    if not under_way.asked:
        raise CtxeError(f"server {name} asks for no sign-in", f"`ctxe mcp test {name}` shows what it offers")
    return held


def _wait_for_user(held: Connection, under_way: Login, talk: SignInDialog) -> None:
    """Wait until the sign-in returns, by loopback or with a pasted URL."""
    import time

    while held.state == "connecting":
        for url in under_way.take_urls():
            talk.open(url)
        if not under_way.asked:
            time.sleep(0.05)
        elif (said := talk.pasted().strip()) and not under_way.paste(said):
            talk.odd()


def _reachable(project: Project, name: str) -> Configured:
    """A server with a URL where the user may sign in. Raises ConfigError."""
    server = named(project, name)
    if not installed():
        raise ConfigError("servers need the extra `mcp`", "pipx install 'ctxe[mcp]', or pip install mcp")
    if not server.settings.url:
        raise ConfigError(f"server {name} is a program: there is nowhere to sign in", "give it a key by env")
    if not server.usable:
        raise ConfigError(f"server {name} may not be reached", f"`ctxe mcp approve {name}` shows it and asks")
    if any(key.lower() == "authorization" for key in server.settings.headers):
        raise ConfigError(f"server {name} has a token in its headers", "take that out to sign in instead")
    return server


def logout(project: Project, name: str) -> bool:
    """Delete a sign-in and revoke its tokens; False when there was none. Raises ConfigError, StoreError."""
    server = named(project, name)
    try:
        file = launch_of(project, server).signed if server.settings.url else None
    except ToolError:
        file = None
    if file is None:
        return False
    for way in _revocations(file):
        _post(*way, str(read_record(file).get("url")))
    files.remove(file)
    return True


def _revocations(file: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """(URL, form) of each request that revokes a token (RFC 7009)."""
    held = read_record(file)
    issuer, tokens, client = held.get("issuer"), held.get("tokens"), held.get("client")
    if isinstance(issuer, dict) and isinstance(tokens, dict) and isinstance(client, dict):
        url = str(issuer.get("revocation_endpoint") or "")
        more = {key: str(client[key]) for key in ("client_id", "client_secret") if client.get(key)}
        for token in (tokens.get("refresh_token"), tokens.get("access_token")):
            if url and token:
                yield url, {"token": str(token), **more}


def _post(url: str, form: dict[str, str], server: str) -> None:
    """Send a form and ignore errors: the tokens are deleted here in any case."""
    import httpx2

    from ctxe.tools.mcp.login import require_safe

    with contextlib.suppress(ToolError, httpx2.HTTPError):
        require_safe(url, server)
        httpx2.post(url, data=form, timeout=REVOKE_SECONDS, follow_redirects=False)


def browse(project: Project, url: str) -> bool:
    """Open a URL in the user's browser, by a program outside the repository; False when there is none."""
    name = OPENERS.get(sys.platform, "xdg-open")
    path = project.environment.get("PATH", "")
    found = find_program(name, project.root, outside(project.root, path.split(os.pathsep)))
    if found is None:
        return False
    words = ["/bin/sh", "-c", '"$0" "$1" </dev/null >/dev/null 2>&1 &', str(found), url]
    with contextlib.suppress(OSError):
        environment = clean_environment(project.environment, project.own_keys)
        return subprocess.run(words, cwd="/", env=environment, check=False).returncode == 0
    return False
