"""``ctxe mcp login|logout``: signs in at a server's address by OAuth, in the browser."""

from __future__ import annotations

import os
import select
from typing import TYPE_CHECKING, Annotated

import typer

from ctxe.cli.invocation import Invocation

if TYPE_CHECKING:
    from ctxe.project import Project
    from ctxe.terminal.screen import Screen

Name = Annotated[str, typer.Argument(help="name of a server")]
ClientId = Annotated[
    str, typer.Option("--client-id", metavar="ID", help="OAuth client id, where the server wants one.")
]
Secret = Annotated[
    str, typer.Option("--client-secret-env", metavar="NAME", help="Environment variable with that client's secret.")
]
Port = Annotated[
    int, typer.Option("--port", metavar="N", help="Port of the redirect to 127.0.0.1, where the client has one.", min=0)
]
LOOK_SECONDS = 0.1


def register(group: typer.Typer) -> None:
    """Add the commands."""
    group.command("login", help="Sign in at a server's address (OAuth) in your browser.")(login)
    group.command("logout", help="Forget a sign-in, here and at its issuer.")(logout)


def login(
    context: typer.Context, name: Name, client_id: ClientId = "", client_secret_env: Secret = "", port: Port = 0
) -> None:
    """Sign in at a server. Raises CtxeError."""
    from ctxe.domain.errors import ConfigError

    invocation = Invocation.of(context)
    project, screen = invocation.project(), invocation.screen()
    secret = project.environment.get(client_secret_env, "") if client_secret_env else ""
    if client_secret_env and not (secret and client_id):
        raise ConfigError(f"the variable {client_secret_env} is not set, or --client-id is missing", "both are needed")
    sign_in(project, name, screen, (client_id, secret), port)


def sign_in(project: Project, name: str, screen: Screen, client: tuple[str, str] = ("", ""), port: int = 0) -> None:
    """Let a person sign in. Raises CtxeError, KeyboardInterrupt."""
    from ctxe.domain.errors import ConfigError
    from ctxe.project.servers import sign_in
    from ctxe.terminal.figures import plural
    from ctxe.terminal.style import clean

    if not screen.keyboard:
        hint = "run it in a terminal, or give a token: --header 'Authorization=Bearer ${TOKEN}'"
        raise ConfigError("signing in takes a person at a keyboard", hint)

    def open_(url: str) -> None:
        shown = sign_in.browse(project, url)
        screen.say(f"sign in at {name} in your browser{' (it should have opened)' if shown else ''}:\n\n{clean(url)}\n")
        screen.say("if the browser runs on another machine, paste the address it was sent to. Ctrl-C stops")

    dialog = sign_in.SignInDialog(
        open_, lambda: _typed(screen), lambda: screen.tell("that is not the address; Ctrl-C stops")
    )
    server = sign_in.login(project, name, dialog, client, port)
    screen.say(f"signed in at {name}: {plural(len(server.tools), 'tool')}; `ctxe mcp logout {name}` forgets it")


def _typed(screen: Screen) -> str:
    """A line that was typed within LOOK_SECONDS; empty without one. Raises KeyboardInterrupt for Ctrl-D."""
    from ctxe.terminal.input.keyboard import read_line

    stdin = screen.stdin
    if os.name == "posix" and not select.select([stdin], [], [], LOOK_SECONDS)[0]:
        return ""
    if (line := read_line(stdin)) is None:
        raise KeyboardInterrupt
    return line


def logout(context: typer.Context, name: Name) -> None:
    """Forget a sign-in. Raises ConfigError, StoreError."""
    from ctxe.project.servers.sign_in import logout as forget

    invocation = Invocation.of(context)
    signed_out = forget(invocation.project(), name)
    invocation.screen().say(
        f"the sign-in at {name} is forgotten" if signed_out else f"you were not signed in at {name}"
    )
