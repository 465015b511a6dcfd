"""``ctxe mcp list|add|remove|approve|test``: other people's servers whose tools the model may use."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ctxe.cli import mcp_import, mcp_signing
from ctxe.cli.invocation import Invocation
from ctxe.cli.output import JsonOption, print_json

if TYPE_CHECKING:
    from ctxe.project import Project
    from ctxe.terminal.screen import Screen

Name = Annotated[str, typer.Argument(help="name of a server")]
Url = Annotated[str, typer.Option("--url", metavar="URL", help="An address instead of a program.")]
Pairs = Annotated[
    list[str] | None,
    typer.Option("--env", metavar="NAME=VALUE", help="Environment variable for it; ${NAME} takes yours."),
]
Headers = Annotated[list[str] | None, typer.Option("--header", metavar="NAME=VALUE", help="Sent to the address.")]
Bearer = Annotated[
    str, typer.Option("--bearer-env", metavar="NAME", help="Environment variable with a token to send there.")
]
Here = Annotated[bool, typer.Option("--here", help="For this project only; else for all of yours.")]
Allow = Annotated[list[str] | None, typer.Option("--allow", metavar="TOOL", help="A tool that needs no question.")]


def register(group: typer.Typer) -> None:
    """Add the commands."""
    group.command("list", help="Every server and whether it may be started; starts none.")(list_)
    group.command("add", help="Keep a server in your settings: ctxe mcp add NAME -- COMMAND ARGUMENTS.")(add)
    group.command("remove", help="Take a server out of your settings, or your approval of a project's back.")(remove)
    group.command("approve", help="See exactly what a server of .mcp.json would run, and allow that.")(approve)
    group.command("test", help="Start a server; its tools and what they cost.")(try_)
    mcp_signing.register(group)
    mcp_import.register(group)


def list_(context: typer.Context, as_json: JsonOption = False) -> None:
    """List every server and whether it may be started, without starting any."""
    from ctxe.project.servers.connections import connections
    from ctxe.project.servers.pages import rows

    invocation = Invocation.of(context)
    project = invocation.project()
    servers = rows(project, connections(project))
    if as_json:
        print_json(servers)
    else:
        screen = invocation.screen()
        screen.say(server_table(servers, screen))


def server_table(servers: Sequence[Mapping[str, Any]], screen: Screen) -> str:
    """Servers as a table."""
    from ctxe.terminal.tables import Cell, Column, table

    if not servers:
        return "there are no servers: `ctxe mcp add NAME -- COMMAND`"
    kinds = [kind for kind in ("tools", "resources", "prompts") if kind == "tools" or any(row[kind] for row in servers)]
    columns = [Column("name", style="accent"), Column("state", wraps=True)]
    columns += [Column(name, right=True) for name in (*kinds, "tokens")]
    columns += [Column("from"), Column("what runs", style="dim", grows=True, wraps=True)]
    body: list[list[Cell]] = [
        [
            row["name"],
            _state(row),
            *("" if row[kind] is None else str(row[kind]) for kind in kinds),
            "" if row["tokens"] is None else f"{row['tokens']:,}",
            row["origin"],
            row["runs"],
        ]
        for row in servers
    ]
    return table(columns, body, screen)


def _state(row: Mapping[str, Any]) -> str:
    """The state of a server, whether the user is signed in, and the reason for the state."""
    return f"{row['state']}{', signed in' if row['signed_in'] else ''}{': ' if row['why'] else ''}{row['why']}"


def add(
    context: typer.Context,
    name: Name,
    command: Annotated[list[str] | None, typer.Argument(help="a program and its arguments, after --")] = None,
    url: Url = "",
    env: Pairs = None,
    header: Headers = None,
    bearer_env: Bearer = "",
    here: Here = False,
    cwd: Annotated[str, typer.Option("--cwd", metavar="DIR", help="Where it runs; . is the project's root.")] = "",
    allow: Allow = None,
) -> None:
    """Keep a server in the user's settings. Raises ConfigError, StoreError."""
    from ctxe.project.servers.pages import save_server

    invocation = Invocation.of(context)
    words = command or [""]
    table: dict[str, object] = {"command": words[0], "args": words[1:], "url": url, "cwd": cwd, "allow": allow or []}
    table |= {"env": _pairs(env, "--env"), "headers": _pairs(header, "--header") | _bearer(bearer_env)}
    project = invocation.project()
    table["folders"] = [str(project.root)] if here else []
    file = save_server(project, name, table)
    sign_in_hint = f", `ctxe mcp login {name}` signs in" if url and not table["headers"] else ""
    invocation.screen().say(f"{name} kept in {file}; `ctxe mcp test {name}` tries it{sign_in_hint}")


def _bearer(variable: str) -> dict[str, str]:
    """A header with a token from a variable; only the variable's name is stored. Raises ConfigError."""
    from ctxe.domain.errors import ConfigError

    if variable and not re.fullmatch(r"[A-Za-z_]\w*", variable, re.ASCII):
        raise ConfigError("--bearer-env takes the name of a variable, not a token", "--bearer-env DOCS_TOKEN")
    return {"Authorization": f"Bearer ${{{variable}}}"} if variable else {}


def _pairs(words: Sequence[str] | None, option: str) -> dict[str, str]:
    from ctxe.domain.errors import ConfigError

    pairs = [word.partition("=") for word in words or ()]
    if incomplete := next((name for name, sign, _ in pairs if not (name and sign)), None):
        raise ConfigError(f"{option} {incomplete} has no value", f"{option} NAME=VALUE")
    return {name: value for name, _, value in pairs}


def remove(context: typer.Context, name: Name) -> None:
    """Remove a server from the settings, or an approval. Raises ConfigError, StoreError."""
    from ctxe.project.servers.pages import remove_server

    invocation = Invocation.of(context)
    invocation.screen().say(remove_server(invocation.project(), name))


def approve(context: typer.Context, name: Name) -> None:
    """Show what a project's server would run, and ask. Raises ConfigError, StoreError."""
    from ctxe.domain.errors import ConfigError
    from ctxe.terminal.input.prompt import Prompt

    invocation = Invocation.of(context)
    screen = invocation.screen()
    if not screen.keyboard:
        raise ConfigError("approving a server takes a person at a keyboard", "run it in a terminal")
    confirm_server(invocation.project(), name, screen, Prompt(screen).ask)


def confirm_server(project: Project, name: str, screen: Screen, ask: Callable[[str, Sequence[str]], str]) -> bool:
    """Show exactly what a project's server would run; True when the user allowed it. Raises ConfigError."""
    from ctxe.project.servers.configured import accept
    from ctxe.project.servers.pages import pending_approval
    from ctxe.terminal.style import fold, line
    from ctxe.terminal.tables import draw

    server, rows = pending_approval(project, name)
    head = f"server {name} of {server.origin} in {project.root}"
    changed = " (it was changed since you approved it)" if server.state == "changed" else ""
    shown_lines = [line(f"{head}{changed}"), *(line(f"  {row}") for row in rows)]
    screen.say(draw([part for shown_line in shown_lines for part in fold(shown_line, screen.width, "    ")], screen))
    if ask("allow exactly this here, until it changes? [y/n]", ("y", "n")) != "y":
        screen.say(f"{name} is not approved")
        return False
    accept(project, server)
    screen.say(f"{name} is approved; its tools are asked about one by one")
    return True


def try_(context: typer.Context, name: Name, as_json: JsonOption = False) -> None:
    """Start one server and show its tools. Raises CtxeError."""
    from ctxe.project.servers.connections import connections
    from ctxe.project.servers.pages import try_server

    invocation = Invocation.of(context)
    project = invocation.project()
    with closing(connections(project)) as servers:
        server_facts = try_server(project, servers, name)
    if as_json:
        print_json(server_facts)
    else:
        screen = invocation.screen()
        screen.say(server_page(server_facts, screen))


def server_page(server: Mapping[str, Any], screen: Screen) -> str:
    """A server's tools as the model sees them, each with its tokens."""
    from ctxe.terminal.figures import plural
    from ctxe.terminal.style import Line, fold, line
    from ctxe.terminal.tables import draw

    kinds = ("tool", "resource", "prompt")
    counts = ", ".join(plural(len(item), kind) for kind in kinds if (item := server[f"{kind}s"]) or kind == "tool")
    rows: list[Line] = [line(f"{server['name']}: {counts}, {server['tokens']:,} tokens when all are described")]
    rows += [line((row, "dim")) for row in server["says"].splitlines()]
    for tool in server["tools"]:
        first, *rest = tool["text"].removeprefix("- ").splitlines()
        rows += [line((first, "strong"), (f"  {tool['tokens']} tokens", "dim")), *map(line, rest)]
    for item in server["resources"]:
        rows.append(line((f"@{item['text'].removeprefix('- ')}", "strong"), (f"  {item['tokens']} tokens", "dim")))
    for item in server["prompts"]:
        rows.append(
            line((f"{item['name']} {item['takes']}".rstrip(), "strong"), f": {item['text']}" if item["text"] else "")
        )
    return draw([part for row in rows for part in fold(row, screen.width, "    ")], screen)
