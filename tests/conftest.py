"""Every test: HOME is a temporary folder, settings of this machine are gone, and only loopback can be reached."""

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
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as a shell starts what it runs in the background
        signal.signal(signal.SIGINT, signal.default_int_handler)
    for who in ("AUTHOR", "COMMITTER"):  # for what is made once for many tests, before a test has its home
        os.environ |= {f"GIT_{who}_NAME": "Test", f"GIT_{who}_EMAIL": "test@example.invalid"}


def pytest_collection_finish() -> None:
    """Thousands of tests stay until the end: looking for garbage among them cost a tenth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)  # as ctxe's own


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home folder of the test's own; no key, proxy or setting of the machine is seen."""
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
