"""Makes projects with MCP servers, and opens these, for tests of servers."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ctxe.domain.section import Task
from ctxe.domain.tool import Action, ToolOutput
from ctxe.project import Project
from ctxe.project.servers.lazy import LazyServers
from ctxe.project.servers.server_list import ServerLines
from ctxe.project.servers.use import Servers
from ctxe.storage.vocabulary import count
from ctxe.tools.mcp.answer import blind

BY_HAND = Path(__file__).parents[2] / "servers/by_hand.py"
Opened = Callable[..., Servers]


def project(tmp_path: Path, settings: str = "", offered: Any = None, **environment: str) -> Project:
    home, root = tmp_path / "home", tmp_path / "repo"
    for folder in (home, root):
        folder.mkdir(exist_ok=True)
    (home / "config.toml").write_text(settings)
    if offered is not None:
        text = offered if isinstance(offered, str) else json.dumps({"mcpServers": offered})
        (root / ".mcp.json").write_text(text)
    known = {"CTXE_HOME": str(home), "HOME": str(home), "PATH": os.environ["PATH"], **environment}
    return Project.open(root, known)


def tea(*words: str, more: str = "") -> str:
    arguments = json.dumps(["-I", "-S", str(BY_HAND), *words])
    return f"[mcp.servers.tea]\ncommand = {json.dumps(sys.executable)}\nargs = {arguments}\n{more}\n"


@pytest.fixture
def opened() -> Iterator[Opened]:
    made: list[Servers] = []

    def open_(here: Project) -> Servers:
        made.append(LazyServers(here, blind).servers)
        return made[-1]

    yield open_
    for one in made:
        one.running.close()


def run(action: Action | None) -> ToolOutput:
    assert action is not None
    *_, output = action.run()
    assert isinstance(output, ToolOutput)
    return output


def standing(here: Project, servers: Servers) -> str:
    source = ServerLines(servers.running.known.values, servers.running.listed, count)
    return "".join(chunk.text for section in source.offer(Task(), 10_000) for chunk in section.chunks)
