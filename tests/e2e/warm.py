"""Starts runs of ctxe with all modules loaded: importing them takes a second, most of the time of a run.

Each is a process of its own all the same (see forked.py). Runs that ask no model are begun as a person begins them.
"""

from __future__ import annotations

import functools
import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

SCRIPT = Path(__file__).with_name("forked.py")
LANG = "C.UTF-8"


def serves(env: Mapping[str, str]) -> bool:
    """Whether a run with these variables calls a model, and needs no interpreter option that a fork cannot set."""
    asks = "OPENAI_BASE_URL" in env or "ANTHROPIC_BASE_URL" in env
    interpreters_own = any(name.startswith(("PYTHON", "LC_", "TZ")) for name in env) or env.get("LANG") != LANG
    return asks and not interpreters_own


def begin(env: Mapping[str, str]) -> list[str]:
    """The command of a run with these variables, up to ctxe's own arguments."""
    if serves(env):
        return [sys.executable, "-I", "-S", str(SCRIPT), "run", _standing_by()]
    return [sys.executable, "-m", "ctxe"]


def fork(words: Sequence[str], folder: Path, env: Mapping[str, str], terminal: int) -> socket.socket:
    """Request a run that leads this terminal. Returns a stream of two lines: its process id and its status."""
    told = json.dumps({"words": [*words], "folder": str(folder), "env": dict(env), "terminal": True}).encode()
    run = socket.socket(socket.AF_UNIX)
    run.connect(_standing_by())
    socket.send_fds(run, [f"{len(told)}\n".encode()], [terminal] * 3)
    run.sendall(told)
    return run


@functools.cache
def _standing_by() -> str:
    """The socket of the process with the loaded modules, which starts with the first run and ends with this process."""
    path = Path(tempfile.mkdtemp(prefix="warm")) / "socket"
    env = {"PATH": os.environ["PATH"], "LANG": LANG}
    words = [sys.executable, str(SCRIPT), "wait", str(path)]
    _HELD.append(subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env))
    assert _HELD[-1].stdout is not None
    assert _HELD[-1].stdout.readline() == b"ready\n"
    return str(path)


_HELD: list[subprocess.Popen[bytes]] = []
"""Its standard input closes with this process, which ends it."""
