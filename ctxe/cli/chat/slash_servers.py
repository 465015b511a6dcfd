"""Slash command about servers: which there are, their tools, starting one anew, approving a project's."""

from __future__ import annotations

from ctxe.cli.chat.chatting import Chat, Slash, split
from ctxe.project.session import asides


def mcp(chat: Chat, words: str) -> None:
    """Every server and its state; the tools of one; start one anew; approve a project's. Raises CtxeError."""
    from ctxe.cli.mcp_servers import confirmed, drawn, shown
    from ctxe.project.servers.pages import rows, tried
    from ctxe.terminal.figures import plural

    project, servers = chat.live.project, chat.live.kit.servers.servers
    match split(words):
        case []:
            chat.say(drawn(rows(project, servers), chat.screen))
        case ["restart", name]:
            found = tried(project, servers, name, anew=True)
            chat.say(f"{name} is connected: {plural(len(found['tools']), 'tool')}, {found['tokens']:,} tokens")
        case ["approve", name]:
            if confirmed(project, name, chat.screen, chat.prompt.ask):
                servers.refresh()
                said = f"[the user allows the server {name} from now on; find_tools tells its tools]"
                chat.play(asides.queue(chat.live, f"server {name}", said, "you approved it"))
        case [name]:
            chat.say(shown(tried(project, servers, name), chat.screen))
        case _:
            chat.screen.tell("/mcp, /mcp NAME, /mcp restart NAME, or /mcp approve NAME")


COMMANDS = (Slash("mcp", "[NAME|restart NAME|approve NAME]", "servers: their state, their tools and prices", mcp),)
