"""``ctxe mcp``: an MCP server on standard input and output, for other assistants."""

from __future__ import annotations

import typer

from ctxe.cli.invocation import Invocation


def register(app: typer.Typer) -> None:
    """Add the ``mcp`` command."""
    app.command("mcp", help="An MCP server on stdio: plan, pack, budget, memory and failures for any MCP client.")(mcp)


def mcp(context: typer.Context) -> None:
    """Serve until standard input ends; the client starts it. Raises ConfigError without the extra, and for a person."""
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
            "ctxe mcp talks with an assistant, which starts it by itself",
            "claude mcp add ctxe -- ctxe mcp, codex mcp add ctxe -- ctxe mcp, or the settings of yours",
        )
    server(invocation.project, __version__).run("stdio")
