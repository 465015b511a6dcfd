"""An MCP server of the newest generation, made with the protocol's own library: ``python tea_house.py [PORT]``."""

from __future__ import annotations

import sys
from typing import Annotated, Any

from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.resolve import Elicit, Resolve
from pydantic import BaseModel

made: MCPServer[object] = MCPServer("tea house", log_level="ERROR")
leaves = {"mint": "fresh"}


class Cups(BaseModel):
    """What is asked for."""

    cups: int


@made.resource("tea://leaves/mint", mime_type="text/plain")
def mint() -> str:
    """Mint as it is now."""
    return leaves["mint"]


@made.resource("tea://pots/{name}")
def pot(name: str) -> str:
    """A pot."""
    return f"the pot {name}"


@made.prompt()
def order(what: str, cups: str = "1") -> str:
    """Order tea."""
    return f"Order {cups} of {what}."


@made.tool()
async def dry(ctx: Context[Any, Any]) -> str:
    """Dry the mint."""
    leaves["mint"] = "dry"
    await ctx.notify_resource_updated("tea://leaves/mint")
    return "dried"


@made.tool()
async def hire(ctx: Context[Any, Any]) -> str:
    """From then on there is a tool more."""
    made.add_tool(lambda: "served", name="serve", description="Serve tea.")
    await ctx.notify_tools_changed()
    return "hired"


async def how_many() -> Elicit[Cups]:
    """Ask the guest."""
    return Elicit("How many cups?", Cups)


@made.tool()
def pour(asked: Annotated[Cups, Resolve(how_many)]) -> str:
    """Pour tea for the guest."""
    return f"{asked.cups} cups"


if __name__ == "__main__":
    if len(sys.argv) > 1:
        made.run("streamable-http", host="127.0.0.1", port=int(sys.argv[1]))
    else:
        made.run("stdio")
