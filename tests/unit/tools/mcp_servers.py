"""Connects to MCP servers, calls their tools, and checks that no process is left."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from ctxe.domain.tool import ToolOutput
from ctxe.tools.mcp.connection import Connection
from ctxe.tools.mcp.launch import Launch
from ctxe.tools.mcp.loop import Loop

SERVERS = Path(__file__).parents[2] / "servers"


class Held(Loop):
    """A loop that ends its connections first, as a session does."""

    def __init__(self) -> None:
        super().__init__()
        self.connections: list[Connection] = []

    def connect(self, launch: Launch, keep: Callable[[str], None] = lambda _: None) -> Connection:
        self.connections.append(Connection(launch, self, keep))
        return self.connections[-1]

    def close(self) -> None:
        for ending in [one.close() for one in self.connections]:
            if ending is not None:
                ending.result(8)
        super().close()


@pytest.fixture
def loop() -> Iterator[Held]:
    made = Held()
    yield made
    made.close()


def by_hand(loop: Held, folder: Path, *words: str, seconds: float = 10.0, kept: list[str] | None = None) -> Connection:
    command = (sys.executable, "-I", "-S", str(SERVERS / "by_hand.py"), *words)
    environment = {"PATH": os.environ["PATH"], "CTXE_PROJECT": str(folder), "MARK": str(folder)}
    launch = Launch("tea", command, environment, folder, timeout=seconds, start_timeout=seconds)
    return loop.connect(launch, (lambda _: None) if kept is None else kept.append)


def call(held: Connection, tool: str, arguments: Mapping[str, Any] | None = None) -> ToolOutput:
    held.start()
    held.wait()
    *_, last = held.call(tool, arguments or {})
    assert isinstance(last, ToolOutput)
    return last


def living(folder: Path) -> list[str]:
    """Processes whose environment names this folder, ours aside."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            words = (entry / "environ").read_bytes() if entry.name.isdigit() else b""
            state = (entry / "stat").read_text().rpartition(")")[2].split()[0] if words else "Z"
        except OSError:
            continue
        if f"MARK={folder}".encode() in words and state not in "ZX" and int(entry.name) != os.getpid():
            found.append((entry / "cmdline").read_text().replace("\0", " "))
    return found


def none_left(folder: Path, seconds: float = 4.0) -> list[str]:
    until = time.monotonic() + seconds
    while (left := living(folder)) and time.monotonic() < until:
        time.sleep(0.05)
    return left
