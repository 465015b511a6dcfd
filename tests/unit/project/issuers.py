"""Starts an issuer of tokens with a server behind it, for tests of signing in."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.free import free_port

BY_OAUTH = Path(__file__).parents[2] / "servers/by_oauth.py"


class Issuer:
    """The server as a test has it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port, self.back = folder, free_port(), free_port()
        back = f"http://127.0.0.1:{self.back}/callback"
        words = [sys.executable, str(BY_OAUTH), str(self.port), str(folder), back]
        self.process = subprocess.Popen(words, stderr=subprocess.DEVNULL)
        self.url = f"http://127.0.0.1:{self.port}/mcp"

    def way(self, name: str) -> None:
        (self.folder / "way").write_text(name)
        (self.folder / "journal").write_text("")

    @property
    def journal(self) -> list[str]:
        return (self.folder / "journal").read_text().splitlines()

    def up(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port)).close()
        except OSError:
            return False
        return True


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Issuer]:
    made = Issuer(tmp_path_factory.mktemp("issuer"))
    until = time.monotonic() + 60
    while not made.up() and time.monotonic() < until:
        time.sleep(0.05)
    yield made
    made.process.kill()
    made.process.wait()
