"""Isolates every test: a temporary HOME, no settings of this machine, and no network beyond loopback."""

from __future__ import annotations

import gc
import os
import signal
import socket
from pathlib import Path

import pytest

LOOPBACK = ("127.", "::1", "localhost")


def _refuse_outside(event: str, arguments: tuple[object, ...]) -> None:
    if event == "socket.connect":
        address = arguments[1]
        host = address[0] if isinstance(address, tuple) else ""
        if isinstance(host, str) and host and not host.startswith(LOOPBACK):
            raise PermissionError(f"tests reach loopback only, not {host}")
    if event == "socket.getaddrinfo":
        name = arguments[0]
        if isinstance(name, str) and name and name != socket.gethostname() and not name.startswith(LOOPBACK):
            raise PermissionError(f"tests resolve loopback only, not {name}")


def pytest_configure() -> None:
    import sys

    sys.addaudithook(_refuse_outside)
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # inherited when a shell starts the tests in the background
        signal.signal(signal.SIGINT, signal.default_int_handler)
    for who in ("AUTHOR", "COMMITTER"):  # for fixtures shared by many tests, made before a test has its home
        os.environ |= {f"GIT_{who}_NAME": "Test", f"GIT_{who}_EMAIL": "test@example.invalid"}


def pytest_collection_finish() -> None:
    """Freeze the collected tests: they live to the end, and scanning them for garbage took a tenth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)  # as ctxe's own


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home folder for each test; keys, proxies and settings of the machine are hidden."""
    folder = tmp_path_factory.mktemp("home")
    for name in list(os.environ):
        if name.startswith(("CTXE_", "OPENAI_", "ANTHROPIC_", "XDG_", "GIT_")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(folder / ".gitconfig"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    (folder / ".gitconfig").write_text(
        "[user]\nname = Test\nemail = test@example.invalid\n[init]\ndefaultBranch = main\n"
    )
    return folder
