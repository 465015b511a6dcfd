"""Servers that the user configured for other assistants: read from their files, to be taken over one by one."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ctxe.config.keys import SERVER_NAME, validate_servers
from ctxe.config.load import from_table
from ctxe.config.values import ServerSettings
from ctxe.domain.errors import ConfigError, StoreError
from ctxe.domain.value import dataclass
from ctxe.project.place import home_of
from ctxe.project.secret_guards import secret_masker
from ctxe.project.servers.configured import Configured
from ctxe.project.servers.launching import ROOT, exact_rows
from ctxe.safety.display import one_line
from ctxe.storage.files import read

if TYPE_CHECKING:
    from ctxe.project import Project

Table = Mapping[str, Any]
MOST_READ, MOST_SERVERS = 8_000_000, 100
"""Limits: bytes of a file, and servers in it."""
STREAMED = ("http", "streamable-http", "streamableHttp", "remote")
_UNNAMED = re.compile(r"[^A-Za-z0-9_.-]+")
_ELSEWHERE = re.compile(r"\$\{(input|file|config|command):")
_CODE = {"${workspaceFolder}": f"${{{ROOT}}}", "${userHome}": "${HOME}", "${env:": "${"}
"""Variables of VS Code, and their equivalents here."""


@dataclass(frozen=True, slots=True)
class ForeignServer:
    """A server of another assistant: ``table`` holds its settings in ctxe's form, ``problem`` why it cannot be used."""

    name: str
    of: str
    file: Path
    table: Table
    problem: str = ""


def foreign_servers(project: Project, of: str = "") -> list[ForeignServer]:
    """Every server in the user's own files of other assistants, or of one (``of``); unreadable files are skipped.

    No file of a repository is read: those are offered by ``.mcp.json`` alone. Raises ConfigError for an unknown
    assistant.
    """
    root = str(project.root)
    home = home_of(project.environment)
    if of and of not in SOURCES:
        raise ConfigError(f"no assistant {of!r} is known", "one of " + ", ".join(SOURCES))
    every: dict[str, ForeignServer] = {}
    for name, places in SOURCES.items():
        for place, servers, made in places if of in ("", name) else ():
            for one in (*_read(name, home / place, servers, made), *_local(name, home / place, servers, root)):
                every.setdefault(one.name, one)
    return list(every.values())


def setting_lines(project: Project, one: ForeignServer) -> list[str]:
    """Exactly what would be saved, line by line, with likely keys masked."""
    mask = secret_masker(project.own_keys)
    settings = from_table(ServerSettings, dict(one.table))
    return [mask(row) for row in exact_rows(Configured(one.name, settings, "yours", "yours"), project)]


def _read(of: str, file: Path, servers: str, made: Callable[[Table], dict[str, Any]]) -> Iterator[ForeignServer]:
    table = _table(file)
    given = table.get(servers)
    for name, one in list(given.items())[:MOST_SERVERS] if isinstance(given, Mapping) else ():
        yield _server(of, file, str(name), one, made)


def _local(of: str, file: Path, servers: str, root: str) -> Iterator[ForeignServer]:
    """Servers that Claude Code keeps in the user's file for this project."""
    projects = _table(file).get("projects") if file.name == ".claude.json" else None
    settings = projects.get(root) if isinstance(projects, Mapping) else None
    given = settings.get(servers) if isinstance(settings, Mapping) else None
    for name, one in list(given.items())[:MOST_SERVERS] if isinstance(given, Mapping) else ():
        yield _server(of, file, str(name), one, lambda table: {**_common(table), "folders": [root]})


def _table(file: Path) -> Table:
    """The content of a file; empty when it is no table."""
    try:
        data = read(file, MOST_READ).decode("utf-8", "replace") if file.is_file() else "{}"
        table = tomllib.loads(data) if file.suffix == ".toml" and data != "{}" else json.loads(_plain(data))
    except (StoreError, ValueError, RecursionError, OSError):
        return {}
    return table if isinstance(table, Mapping) else {}


def _server(of: str, file: Path, name: str, given: Any, made: Callable[[Table], dict[str, Any]]) -> ForeignServer:
    called = _UNNAMED.sub("-", name).strip("-.")[:40]
    try:
        if not isinstance(given, Mapping) or not SERVER_NAME.fullmatch(called):
            raise ConfigError("it is not a server", "")
        if str(given.get("type", "")) == "sse":
            raise ConfigError("it speaks the old transport (sse), which ctxe does not", "")
        table = {key: value for key, value in made(given).items() if value}
        if asks := _ELSEWHERE.search(json.dumps(table)):
            raise ConfigError(f"it takes ${{{asks[1]}:…}}, which only that assistant knows", "")
        validate_servers({called: table}, of)
    except (ConfigError, TypeError, ValueError, AttributeError) as error:
        problem = error.message if isinstance(error, ConfigError) else "it is not a server"
        return ForeignServer(called or one_line(name, 40), of, file, {}, one_line(problem, 160))
    return ForeignServer(called, of, file, table)


def _common(given: Table) -> dict[str, Any]:
    """Settings in the format of Claude, Cursor and Gemini."""
    url = given.get("httpUrl") or given.get("url")
    own = {key: given.get(key) for key in ("command", "args", "env", "cwd", "headers")}
    return {**own, "url": url} if url else own


def _gemini(given: Table) -> dict[str, Any]:
    if given.get("url") and not given.get("httpUrl"):
        raise ConfigError("it speaks the old transport (sse), which ctxe does not", "")
    return _common(given)


def _codex(given: Table) -> dict[str, Any]:
    own = _common({**given, "headers": {**given.get("http_headers", {}), **_named(given.get("env_http_headers", {}))}})
    if token := given.get("bearer_token_env_var"):
        own["headers"] = {**own["headers"], "Authorization": f"Bearer ${{{token}}}"}
    own["env"] = {**(given.get("env") or {}), **{name: f"${{{name}}}" for name in given.get("env_vars", [])}}
    limits = {"timeout": given.get("tool_timeout_sec"), "start_timeout": given.get("startup_timeout_sec")}
    return {**own, **limits, "deny": given.get("disabled_tools")}


def _named(headers: Table) -> dict[str, str]:
    """Headers with each variable name turned into a reference to that variable."""
    return {key: f"${{{name}}}" for key, name in headers.items()}


def _code(given: Table) -> dict[str, Any]:
    text = json.dumps(_common(given))
    for theirs, ours in _CODE.items():
        text = text.replace(theirs, ours)
    made: dict[str, Any] = json.loads(text)
    return made


def _opencode(given: Table) -> dict[str, Any]:
    words = given.get("command") or [""]
    own = {"command": words[0], "args": list(words[1:]), "env": given.get("environment")}
    return {"url": given.get("url"), "headers": given.get("headers")} if given.get("type") in STREAMED else own


def _plain(text: str) -> str:
    """JSON without the comments and trailing commas that some of these files have."""
    kept = re.sub(r'("(?:\\.|[^"\\])*")|//[^\n]*|/\*.*?\*/', lambda match: match[1] or "", text, flags=re.S)
    return re.sub(r'("(?:\\.|[^"\\])*")|,(?=\s*[}\]])', lambda match: match[1] or "", kept)


SOURCES: Mapping[str, tuple[tuple[str, str, Callable[[Table], dict[str, Any]]], ...]] = {
    "claude": (
        (".claude.json", "mcpServers", _common),
        (".config/Claude/claude_desktop_config.json", "mcpServers", _common),
        ("Library/Application Support/Claude/claude_desktop_config.json", "mcpServers", _common),
    ),
    "codex": ((".codex/config.toml", "mcp_servers", _codex),),
    "vscode": (
        (".config/Code/User/mcp.json", "servers", _code),
        ("Library/Application Support/Code/User/mcp.json", "servers", _code),
    ),
    "gemini": ((".gemini/settings.json", "mcpServers", _gemini),),
    "cursor": ((".cursor/mcp.json", "mcpServers", _common),),
    "opencode": ((".config/opencode/opencode.json", "mcp", _opencode),),
}
"""By assistant: its files below the user's home folder, the key that holds the servers, and the converter of one."""
