"""``ctxe mcp import``: offers servers that the user configured in other assistants, one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ctxe.cli.invocation import Invocation
from ctxe.cli.output import JsonOption, print_json

if TYPE_CHECKING:
    from ctxe.project import Project
    from ctxe.project.servers.other_assistants import ForeignServer
    from ctxe.terminal.screen import Screen

From = Annotated[
    str, typer.Option("--from", metavar="NAME", help="Only of claude, codex, vscode, gemini, cursor or opencode.")
]


def register(group: typer.Typer) -> None:
    """Add the command."""
    group.command("import", help="Servers of your other assistants' own files: each is shown, and kept if you say so.")(
        import_
    )


def import_(context: typer.Context, of: From = "", as_json: JsonOption = False) -> None:
    """Offer every server of the user's other assistants. Raises ConfigError, StoreError."""
    from ctxe.project.servers.other_assistants import foreign_servers, setting_lines

    invocation = Invocation.of(context)
    project, screen = invocation.project(), invocation.screen()
    servers = foreign_servers(project, of)
    if as_json:
        rows = [
            {"name": server.name, "of": server.of, "file": str(server.file), "problem": server.problem}
            for server in servers
        ]
        extra = [{"would": [] if server.problem else setting_lines(project, server)} for server in servers]
        print_json([{**row, **settings} for row, settings in zip(rows, extra, strict=True)])
        return
    if not servers:
        screen.say("none of your other assistants has a server")
    saved = [server.name for server in servers if _offer(project, server, screen)]
    if saved:
        screen.say(f"kept: {', '.join(saved)}; `ctxe mcp list` shows them, `ctxe mcp test NAME` tries one")


def _offer(project: Project, server: ForeignServer, screen: Screen) -> bool:
    """Show one server and ask; True when it was kept. Without a keyboard it is only shown."""
    from ctxe.project.servers.other_assistants import setting_lines
    from ctxe.project.servers.pages import save_server
    from ctxe.terminal.input.prompt import Prompt
    from ctxe.terminal.style import fold, line
    from ctxe.terminal.tables import draw

    head = f"{server.name} of {server.of} ({server.file})"
    name_exists = server.name in project.config.mcp
    if server.problem or name_exists:
        screen.say(draw([line(f"{head}: {server.problem or 'there is a server of this name already'}")], screen))
        return False
    rows = [line(head), *(line(f"  {row}") for row in setting_lines(project, server))]
    screen.say(draw([part for row in rows for part in fold(row, screen.width, "    ")], screen))
    if not screen.keyboard or Prompt(screen).ask("keep it in your settings? [y/n]", ("y", "n")) != "y":
        return False
    save_server(project, server.name, server.table)
    return True
