"""``ctxe mcp``: this project's knowledge for other assistants; its subcommands: servers whose tools ctxe may use."""

from __future__ import annotations

import typer

from ctxe.cli.invocation import Invocation


def register(app: typer.Typer) -> None:
    """Add the ``mcp`` command and its subcommands."""
    from ctxe.cli import mcp_servers

    serving = "An MCP server on stdio: plan, pack, budget, memory and failures for any MCP client."
    group = typer.Typer(help=f"{serving} Below it: servers whose tools ctxe itself may use.", rich_markup_mode=None)
    group.callback(invoke_without_command=True)(mcp)
    mcp_servers.register(group)
    app.add_typer(group, name="mcp")


def mcp(context: typer.Context) -> None:
    """Serve until standard input ends; a client starts it. Raises ConfigError without the extra, or on a terminal."""
    if context.invoked_subcommand is not None:
        return
    from ctxe import __version__
    from ctxe.domain.errors import ConfigError

    try:
        from ctxe.serve.mcp import server
    except ModuleNotFoundError as error:
        if error.name not in ("mcp", "mcp_types"):
            raise
        raise ConfigError("ctxe mcp needs the extra `mcp`", "pipx install 'ctxe[mcp]', or pip install mcp") from error
    invocation = Invocation.of(context)
    invocation.project()
    if invocation.screen().keyboard:
        raise ConfigError(
            "ctxe mcp talks to an assistant, which starts it",
            "claude mcp add ctxe -- ctxe mcp, codex mcp add ctxe -- ctxe mcp, or your assistant's settings",
        )
    server(invocation.project, __version__).run("stdio")
