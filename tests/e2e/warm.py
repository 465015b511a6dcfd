"""Runs of ctxe that begin with the SDKs loaded: to import one takes a second of each run, most of what a run costs.

Only what others wrote is loaded ahead; ctxe is imported anew in a process of the run's own (see forked.py).
"""

from __future__ import annotations

import functools
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

SCRIPT = Path(__file__).with_name("forked.py")
LANG = "C.UTF-8"


def begin(env: Mapping[str, str]) -> list[str]:
    """What stands before ctxe's own words in the command of a run with these variables."""
    asks = "OPENAI_BASE_URL" in env or "ANTHROPIC_BASE_URL" in env
    interpreters_own = any(name.startswith(("PYTHON", "LC_", "TZ")) for name in env) or env.get("LANG") != LANG
    if asks and not interpreters_own:
        return [sys.executable, "-I", "-S", str(SCRIPT), "run", _standing_by()]
    return [sys.executable, "-m", "ctxe"]


@functools.cache
def _standing_by() -> str:
    """The socket of the process that holds the SDKs; it begins with the first run and ends with this process."""
    path = Path(tempfile.mkdtemp(prefix="warm")) / "socket"
    env = {"PATH": os.environ["PATH"], "LANG": LANG}
    words = [sys.executable, str(SCRIPT), "wait", str(path)]
    _HELD.append(subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env))
    assert _HELD[-1].stdout is not None
    assert _HELD[-1].stdout.readline() == b"ready\n"
    return str(path)


_HELD: list[subprocess.Popen[bytes]] = []
"""Its standard input closes with this process, and that is its end."""
