"""The slash command about servers: list them and their tools, restart one, approve a project's, sign in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ctxe.cli.chat.session import ChatSession, SlashCommand, split_words
from ctxe.project.session import asides

if TYPE_CHECKING:
    from ctxe.project.session.live import Live


def mcp(chat: ChatSession, words: str) -> None:
    """List the servers or one server's tools, restart one, approve a project's, sign in or out. Raises CtxeError."""
    from ctxe.cli.mcp_servers import confirm_server, server_page, server_table
    from ctxe.cli.mcp_signing import sign_in
    from ctxe.project.servers.pages import rows, try_server
    from ctxe.project.servers.sign_in import logout
    from ctxe.terminal.figures import plural

    project, servers = chat.live.project, chat.live.kit.servers.servers.running
    match split_words(words):
        case []:
            chat.say(server_table(rows(project, servers), chat.screen))
        case ["restart", name]:
            found = try_server(project, servers, name, anew=True)
            chat.say(f"{name} is connected: {plural(len(found['tools']), 'tool')}, {found['tokens']:,} tokens")
        case ["approve", name]:
            if confirm_server(project, name, chat.screen, chat.prompt.ask):
                servers.refresh()
                note = f"[the user allows the server {name} from now on; find_tools tells its tools]"
                chat.play(asides.queue(chat.live, f"server {name}", note, "you approved it"))
        case ["login", name]:
            sign_in(project, name, chat.screen)
            servers.forget(name)
        case ["logout", name]:
            signed_out = logout(project, name)
            servers.forget(name)
            chat.say(f"the sign-in at {name} is forgotten" if signed_out else f"you were not signed in at {name}")
        case [name]:
            chat.say(server_page(try_server(project, servers, name), chat.screen))
        case _:
            chat.screen.tell("/mcp, /mcp NAME, or /mcp with restart, approve, login or logout and a NAME")


def prompt(chat: ChatSession, name: str, words: str) -> None:
    """``/SERVER:PROMPT arguments``: show the server's text and send it as the user's words. Raises CtxeError."""
    texts: list[str] = []
    chat.play(asides.prompt(chat.live, name, split_words(words), texts.append))
    for one in texts:
        chat.turn(one, own=words)


def prompts(live: Live) -> list[list[str]]:
    """Rows of the help: every prompt that servers offer."""
    from ctxe.project.servers.completion import prompts as remembered

    servers = live.kit.servers.named
    return [[name, f"{says} (a prompt of a server)"] for name, says in remembered(servers.running)] if servers else []


def mentions(live: Live, begun: str) -> list[str]:
    """Completions after ``@`` besides files: resources that servers offer."""
    from ctxe.project.servers.completion import resources

    servers = live.kit.servers.named if begun else None
    return resources(servers.running, begun) if servers else []


def complete_argument(live: Live, name: str, begun: str) -> list[str]:
    """Completions for a word after ``/SERVER:PROMPT``."""
    from ctxe.project.servers.completion import arguments

    servers = live.kit.servers.named if ":" in name else None
    return arguments(servers.running, name.removeprefix("/"), begun) if servers else []


COMMANDS = (
    SlashCommand(
        "mcp", "[NAME|restart|approve|login|logout NAME]", "servers: their state, their tools and prices", mcp
    ),
)
