"""Scripted calls of server tools, and what a session asked and got, for tests of servers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.harness import KEY, Ran, ctxe, environment, repository
from tests.wire.server import Call, Reply, WireServer


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return repository(tmp_path / "demo", {"main.py": "print('hello')\n"})


def use(name: str, **arguments: Any) -> Reply:
    return Reply("", [Call("use", {"name": name, **({"arguments": arguments} if arguments else {})})])


def plain(body: Mapping[str, Any]) -> list[Any]:
    """A request without its cache marks, block by block."""

    def without(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {key: without(item) for key, item in value.items() if key != "cache_control"}
        return [without(item) for item in value] if isinstance(value, list) else value

    return [without([body["tools"], body.get("system")]), *without(body["messages"])]


def result(body: Mapping[str, Any]) -> str:
    """The newest tool result of a request, of either API."""
    content = body["messages"][-1]["content"]
    return content if isinstance(content, str) else str(content[-1]["content"])


def asked(home: Path, repo: Path, at: Any, script: list[Reply], *words: str) -> tuple[Ran, list[Any]]:
    with WireServer(script, key=KEY) as server:
        done = ctxe(repo, environment(home, **at(server.url)), "chat", "-p", "go on", *words)
        assert server.refused == []
        return done, server.bodies
