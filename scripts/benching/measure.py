"""Measuring: a figure with its bound, timed runs, whole processes beside bare Python."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
BARE = 0.010
"""Seconds of `python -c pass` on the machine for which the bounds were set."""


@dataclass(frozen=True)
class Figure:
    """One promise: seconds measured (less bare Python where a process is started), and the bound.

    With another ``unit`` the value is a number of that unit. ``least``: the bound is a minimum.
    """

    name: str
    seconds: float
    bound: float
    unit: str = "ms"
    least: bool = False

    @property
    def holds(self) -> bool:
        """Whether the figure is within its bound."""
        return self.seconds >= self.bound if self.least else self.seconds <= self.bound

    @property
    def as_json(self) -> dict[str, object]:
        """The figure as a JSON object, rounded to four places."""
        return {"name": self.name, "seconds": round(self.seconds, 4), "bound": round(self.bound, 4), "unit": self.unit}

    @property
    def row(self) -> str:
        """The figure as one aligned line of text."""
        scale = 1000 if self.unit == "ms" else 1
        how = "at least" if self.least else "bound"
        measured, bound = f"{self.seconds * scale:8.1f} {self.unit}", f"{self.bound * scale:7.0f} {self.unit}"
        return f"{self.name:<36} {measured:<15} {how:<8} {bound:<14} {'ok' if self.holds else 'MISSED'}"


def timed(run: Callable[[], object], times: int = 7) -> float:
    """Median seconds of several runs, after a warm-up run."""
    run()
    spent = []
    for _ in range(times):
        began = time.perf_counter()
        run()
        spent.append(time.perf_counter() - began)
    return statistics.median(spent)


def process(*words: str, folder: Path, env: dict[str, str]) -> Callable[[], object]:
    """A run of a whole process."""
    return lambda: subprocess.run(
        words, cwd=folder, env=env, stdin=subprocess.DEVNULL, capture_output=True, check=False
    )


def clone(into: Path) -> Path:
    """A clone of this repository, so that its own folder stays untouched."""
    folder = into / "clone"
    subprocess.run(["git", "clone", "-q", str(ROOT), str(folder)], check=True)
    return folder


def environment(home: Path, **more: str) -> dict[str, str]:
    """A minimal environment with ``home`` as the home folder."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    return {**kept, "HOME": str(home), "TERM": "xterm-256color", **more}


def beside(run: Callable[[], object], times: int = 9) -> float:
    """Median seconds of a whole process, with the time of bare Python on this machine replaced by ``BARE``."""
    bare, spent = process(sys.executable, "-c", "pass", folder=ROOT, env=environment(ROOT)), []
    run()
    for _ in range(times):
        took = []
        for one in (bare, run):
            began = time.perf_counter()
            one()
            took.append(time.perf_counter() - began)
        spent.append(took[1] - took[0])
    return statistics.median(spent) + BARE
