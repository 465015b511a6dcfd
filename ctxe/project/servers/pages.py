"""Servers for the commands: list, test, add, approve and remove them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ctxe.config.load import SERVERS_FILE
from ctxe.domain.errors import ConfigError, CtxeError, ToolError
from ctxe.project.secret_guards import text_cleaner
from ctxe.project.servers.configured import Configured, configured, named, withdraw
from ctxe.project.servers.connections import Connections
from ctxe.project.servers.launching import exact_rows, launch_of
from ctxe.project.servers.offers import tokens
from ctxe.project.servers.sign_in import logout, signed_in

if TYPE_CHECKING:
    from ctxe.project import Project
    from ctxe.tools.mcp.connection import Connection

STATES = {
    "new": "not approved",
    "changed": "changed since you approved it",
    "off": "off",
    "elsewhere": "for other folders",
    "wrong": "cannot be used",
}
"""Descriptions of the states in which a server is not started."""


def rows(project: Project, running: Connections) -> list[dict[str, Any]]:
    """Every server in order: its state, how much it offers and how many tokens that takes (None: unknown)."""
    return [_row(project, running, one) for one in configured(project)]


def _row(project: Project, running: Connections, one: Configured) -> dict[str, Any]:
    held = running.opened.get(one.name)
    connected = held is not None and held.state == "connected"
    kept = running.listed.kept(one) if one.usable else None
    offers = held.offers if connected and held else kept
    settings, clean = one.settings, text_cleaner(project.own_keys)
    why = held.why if held and held.state == "failed" else "" if held or not one.usable else _obstacle(project, one)
    return {
        "name": one.name,
        "origin": one.origin,
        "state": STATES.get(one.state, held.state if held else "not started"),
        "why": one.problem or clean(why),
        "signed_in": signed_in(project, one),
        **{kind: len(getattr(offers, kind)) if offers else None for kind in ("tools", "resources", "prompts")},
        "tokens": tokens(one.name, held) if connected and held else None,
        "runs": settings.url or " ".join((settings.command, *settings.args)),
        "allow": list(settings.allow),
        "deny": list(settings.deny),
    }


def _obstacle(project: Project, one: Configured) -> str:
    """Why a usable server could not be started: a missing program, folder or variable; else empty."""
    try:
        launch_of(project, one)
    except ToolError as error:
        return str(error)
    return ""


def try_server(project: Project, running: Connections, name: str, *, anew: bool = False) -> dict[str, Any]:
    """Connect to a server: its instructions, each tool and resource with its tokens, and its prompts.

    Raises ConfigError, CtxeError.
    """
    from ctxe.storage.vocabulary import count
    from ctxe.tools.mcp.resources import resource_line
    from ctxe.tools.mcp.server_tools import described

    one = named(project, name)
    if not one.usable:
        hint = f"`ctxe mcp approve {name}` shows it and asks" if one.state in ("new", "changed") else one.problem
        hint = hint or f"mcp.servers.{name}.{'folders' if one.state == 'elsewhere' else 'enabled'} says so"
        raise ConfigError(f"server {name} is not started: {STATES[one.state]}", hint)
    try:
        held: Connection = running.restart(name) if anew else running.reached(name)
    except ToolError as error:
        log = project.cache / "servers" / f"{name}.log"
        raise CtxeError(f"server {name}: {error}", f"see {log}" if log.is_file() else "") from None
    masked = text_cleaner(project.own_keys)

    def clean(text: str) -> str:
        return masked(running.hidden(name, text))

    tools = [
        {"name": f"{name}/{tool.name}", "tokens": count(text), "text": clean(text)}
        for tool, text in ((tool, described(name, tool)) for tool in held.tools)
    ]
    resources = [
        {"name": f"{name}:{one.uri}", "tokens": count(text), "text": clean(text)}
        for one, text in ((one, resource_line(name, one)) for one in held.offers.resources)
    ]
    prompts = [
        {"name": f"/{name}:{one.slash_name}", "takes": one.takes, "text": clean(one.description)}
        for one in held.offers.prompts
    ]
    summary = {"name": name, "tokens": tokens(name, held), "says": clean(held.instructions), "tools": tools}
    return {**summary, "resources": resources, "prompts": prompts}


def save_server(project: Project, name: str, table: Mapping[str, Any]) -> Path:
    """Save a server in the user's settings, over one of the same name; the file. Raises ConfigError, StoreError."""
    from ctxe.config import save_setting, user_file
    from ctxe.config.keys import validate_servers

    given = {key: value for key, value in table.items() if value}
    validate_servers({name: given}, "ctxe mcp add")
    file = user_file(project.environment)
    save_setting(file, ("mcp", "servers", name), given)
    return file


def remove_server(project: Project, name: str) -> str:
    """Remove a server from the user's settings, or withdraw the approval of a project's one. Raises CtxeError."""
    from ctxe.config import remove_setting, user_file

    one = named(project, name)
    logout(project, name)
    forgotten = withdraw(project, name)
    if one.origin == SERVERS_FILE:
        return (
            f"{name} is no longer approved here"
            if forgotten
            else f"{name} was not approved; {SERVERS_FILE} stays as it is"
        )
    file = user_file(project.environment)
    remove_setting(file, ("mcp", "servers", name))
    return f"{name} taken out of {file}"


def pending_approval(project: Project, name: str) -> tuple[Configured, Sequence[str]]:
    """A project's server and exactly what would run, to be shown before the user approves. Raises ConfigError."""
    one = named(project, name)
    if one.origin != SERVERS_FILE or one.state == "wrong":
        raise ConfigError(f"server {name} needs no approval", one.problem or "it is in your own settings")
    return one, exact_rows(one, project)
