"""Finds processes of this machine, for tests that check whether a program runs or has ended."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path


def running(mark: str) -> list[str]:
    """Command lines that contain ``mark``, except our own. ``\\0`` in it separates two words; a blank matches both."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and entry.name != str(os.getpid()):
            with contextlib.suppress(OSError):
                words = os.fsdecode((entry / "cmdline").read_bytes())
                if mark in words or mark in words.replace("\0", " "):
                    found.append(words)
    return found


def gone(mark: str, within: float = 5.0) -> bool:
    """Whether no process has the mark any more, waiting at most ``within`` seconds."""
    until = time.monotonic() + within
    while running(mark) and time.monotonic() < until:
        time.sleep(0.02)
    return not running(mark)
