"""Server settings of other assistants are converted for ctxe; none are read from a repository."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ctxe.domain.errors import ConfigError
from ctxe.project.servers.other_assistants import ForeignServer, foreign_servers, setting_lines
from tests.unit.project.server_projects import project

CLAUDE = {
    "mcpServers": {
        "db": {"type": "stdio", "command": "npx", "args": ["-y", "db"], "env": {"URL": "${DB:-x}"}},
        "web": {"type": "http", "url": "https://web.test/mcp", "headers": {"X": "1"}},
        "old": {"type": "sse", "url": "https://old.test/sse"},
        "my server!": {"command": "mine"},
        "none": 5,
    },
    "projects": {"/x": {"mcpServers": {"local": {"command": "never"}}}},
}
CODEX = """
[mcp_servers.pad]
command = "pad"
args = ["--quiet"]
env = { A = "b" }
env_vars = ["PAD_TOKEN"]
tool_timeout_sec = 30
disabled_tools = ["drop"]
[mcp_servers.far]
url = "https://far.test/mcp"
bearer_token_env_var = "FAR_TOKEN"
env_http_headers = { "X-Team" = "TEAM" }
[mcp_servers.db]
command = "another"
"""
CODE = """
{ // mine
  "servers": {
    "files": {"command": "files", "args": ["${workspaceFolder}", "${env:WHO}", "http://x"],},
    "asks": {"command": "asks", "env": {"KEY": "${input:key}"}},
  },
}
"""


def write(home: Path, **files: str) -> None:
    for name, text in files.items():
        path = (
            home
            / {
                "claude": ".claude.json",
                "codex": ".codex/config.toml",
                "code": ".config/Code/User/mcp.json",
                "gemini": ".gemini/settings.json",
                "opencode": ".config/opencode/opencode.json",
                "cursor": ".cursor/mcp.json",
            }[name]
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def test_server_settings_of_each_assistant_are_converted(tmp_path: Path) -> None:
    at = project(tmp_path)
    home = tmp_path / "home"
    gemini = {"mcpServers": {"g": {"httpUrl": "https://g.test/mcp"}, "s": {"url": "https://s.test/sse"}}}
    opencode = {"mcp": {"o": {"type": "local", "command": ["o", "x"], "environment": {"E": "1"}}}}
    write(home, claude=json.dumps(CLAUDE), codex=CODEX, code=CODE, gemini=json.dumps(gemini))
    write(home, opencode=json.dumps(opencode), cursor="{ broken")
    claude, codex, code = home / ".claude.json", home / ".codex/config.toml", home / ".config/Code/User/mcp.json"
    old = "it speaks the old transport (sse), which ctxe does not"
    headers = {"X-Team": "${TEAM}", "Authorization": "Bearer ${FAR_TOKEN}"}
    pad = {"command": "pad", "args": ["--quiet"], "env": {"A": "b", "PAD_TOKEN": "${PAD_TOKEN}"}, "timeout": 30}
    assert foreign_servers(at) == [
        ForeignServer("db", "claude", claude, {"command": "npx", "args": ["-y", "db"], "env": {"URL": "${DB:-x}"}}),
        ForeignServer("web", "claude", claude, {"headers": {"X": "1"}, "url": "https://web.test/mcp"}),
        ForeignServer("old", "claude", claude, {}, old),
        ForeignServer("my-server", "claude", claude, {"command": "mine"}),
        ForeignServer("none", "claude", claude, {}, "it is not a server"),
        ForeignServer("pad", "codex", codex, {**pad, "deny": ["drop"]}),
        ForeignServer("far", "codex", codex, {"headers": headers, "url": "https://far.test/mcp"}),
        ForeignServer("files", "vscode", code, {"command": "files", "args": ["${CTXE_PROJECT}", "${WHO}", "http://x"]}),
        ForeignServer("asks", "vscode", code, {}, "it takes ${input:…}, which only that assistant knows"),
        ForeignServer("g", "gemini", home / ".gemini/settings.json", {"url": "https://g.test/mcp"}),
        ForeignServer("s", "gemini", home / ".gemini/settings.json", {}, old),
        ForeignServer(
            "o",
            "opencode",
            home / ".config/opencode/opencode.json",
            {"command": "o", "args": ["x"], "env": {"E": "1"}},
        ),
    ]
    assert [one.name for one in foreign_servers(at, "codex")] == ["pad", "far", "db"]
    with pytest.raises(ConfigError, match="no assistant 'emacs' is known"):
        foreign_servers(at, "emacs")


def test_claude_servers_of_this_project_are_offered_for_this_project_only(tmp_path: Path) -> None:
    at = project(tmp_path)
    local = {
        str(at.root): {"mcpServers": {"mine": {"command": "mine"}}},
        "/x": {"mcpServers": {"other": {"command": "x"}}},
    }
    write(tmp_path / "home", claude=json.dumps({"projects": local}))
    assert foreign_servers(at) == [
        ForeignServer("mine", "claude", tmp_path / "home/.claude.json", {"command": "mine", "folders": [str(at.root)]})
    ]


def test_server_files_of_a_repository_are_not_read(tmp_path: Path) -> None:
    at = project(tmp_path)
    write(at.root, claude=json.dumps(CLAUDE), codex=CODEX, code=CODE)
    assert foreign_servers(at) == []


def test_keys_in_server_settings_are_shown_masked(tmp_path: Path) -> None:
    at = project(tmp_path)
    key = "ghp_" + "aB3dE6gH9k" * 3 + "LmNoPq"
    write(tmp_path / "home", claude=json.dumps({"mcpServers": {"hub": {"command": "hub", "env": {"TOKEN": key}}}}))
    (one,) = foreign_servers(at)
    rows = setting_lines(at, one)
    assert rows[0] == "runs         hub"
    assert key not in "".join(rows)
    assert one.table["env"] == {"TOKEN": key}


@pytest.mark.parametrize(
    "text", ["", "[]", "[" * 100_000, '{"mcpServers": []}', '{"mcpServers": {"a": {"command": 1}}}']
)
def test_an_unreadable_settings_file_is_skipped(tmp_path: Path, text: str) -> None:
    at = project(tmp_path)
    write(tmp_path / "home", claude=text)
    assert [one for one in foreign_servers(at) if not one.problem] == []
