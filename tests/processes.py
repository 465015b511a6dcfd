"""Processes of this machine, as tests look for those that should run or be gone."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path


def running(mark: str) -> list[str]:
    """Command lines that hold ``mark``, ours aside; ``\\0`` in it stands between two words, a blank for both."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and entry.name != str(os.getpid()):
            with contextlib.suppress(OSError):
                words = os.fsdecode((entry / "cmdline").read_bytes())
                if mark in words or mark in words.replace("\0", " "):
                    found.append(words)
    return found


def gone(mark: str, within: float = 5.0) -> bool:
    """Whether, after so many seconds at most, no process carries the mark."""
    until = time.monotonic() + within
    while running(mark) and time.monotonic() < until:
        time.sleep(0.02)
    return not running(mark)
