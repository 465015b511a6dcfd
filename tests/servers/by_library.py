"""An MCP server by the protocol's own library: ``python by_library.py [PORT]``; with a port, by streamable HTTP."""

from __future__ import annotations

import sys

from mcp.server.mcpserver import Context, MCPServer

made: MCPServer[object] = MCPServer("tea house", instructions="Ask for tea politely.", log_level="ERROR")


@made.tool()
def brew_tea(leaves: str, cups: int = 1) -> str:
    """Brew tea from leaves.

    Water is boiled first.
    """
    return f"{cups} cups of {leaves}"


@made.tool()
async def wait_for_water(ctx: Context) -> str:
    """Boil water, and say how far it is."""
    for degrees in (20, 60, 100):
        await ctx.report_progress(degrees, 100, "boiling")
    return "it boils"


@made.tool()
def spill() -> str:
    """Always fails."""
    raise RuntimeError("spilt")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        made.run("streamable-http", host="127.0.0.1", port=int(sys.argv[1]))
    else:
        made.run("stdio")
