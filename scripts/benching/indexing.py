"""Measures time and memory of the planner on generated trees: cold, one commit later, and warm."""

from __future__ import annotations

import json
import os
import random
import re
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from scripts.benching.measure import Figure, environment

WORDS = re.findall(
    r"\w+",
    """parse header frame token cache user query index model render field value stream socket buffer cursor migrate
    compile schema filter widget layout signal worker thread queue retry policy budget ledger section chunk handle
    fold epoch prompt reply usage delta vector window symbol arrival export bundle commit branch merge patch""",
)
TASK = "fix parse_header: the frame token is lost when the cache is full"


def source(chance: random.Random, number: int, lines: int) -> str:
    """A realistic module of about ``lines`` lines: imports, a class, functions with comments."""
    parts = [f"from package{number % 97}.module{chance.randrange(max(1, number))} import {chance.choice(WORDS)}\n"]
    size = 1
    while size < lines:
        one, other, third = (chance.choice(WORDS) for _ in range(3))
        names = [chance.choice(WORDS) for _ in range(chance.randrange(4, 18))]
        body = "\n".join(f"    {name} = {chance.choice(WORDS)}({one}, {n})" for n, name in enumerate(names))
        head = f"def {one}_{other}_{size}({third}):\n    # {other} the {third} of this {one}\n"
        parts.append(f"{head}{body}\n    return {third}\n\n")
        size += body.count("\n") + 6
    return "\n".join(parts)


def tree(root: Path, files: int, lines: int = 150) -> Path:
    """Make a repository of ``files`` modules and twenty commits."""
    chance = random.Random(files)
    for number in range(files):
        folder = root / f"package{number % 97}" / f"part{number // 9700}"
        if number < 97 or number % 9700 < 97:
            folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{chance.choice(WORDS)}_{number}.py").write_text(source(chance, number, lines))
    git(root, "init", "-q")
    git(root, "config", "gc.auto", "0")
    git(root, "add", ".")
    git(root, "commit", "-qm", "Begin")
    for number, path in zip(range(20), sorted(root.glob("package*/part0/*.py")), strict=False):
        change(path)
        git(root, "commit", "-qam", f"Let {WORDS[number]} wait for the {WORDS[number + 9]}")
    return root


def change(path: Path) -> None:
    """One line more."""
    path.write_text(path.read_text() + "\n# changed\n")


def git(root: Path, *words: str) -> None:
    """Run git with a fixed author and without any user's settings."""
    env = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    who = ("-c", "user.name=Bench", "-c", "user.email=bench@example.invalid")
    subprocess.run(["git", "-C", str(root), *who, *words], check=True, capture_output=True, env=env)


def ran(root: Path, env: dict[str, str], *words: str) -> tuple[float, str]:
    """Seconds of a whole ctxe process, and what it printed."""
    began = time.perf_counter()
    command = [sys.executable, "-m", "ctxe", "-C", str(root), *words]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    return time.perf_counter() - began, done.stdout


def interrupted(root: Path, env: dict[str, str], after: float) -> None:
    """Start an index build and interrupt it after ``seconds``."""
    command = [sys.executable, "-m", "ctxe", "-C", str(root), "index"]
    process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(after)
    process.send_signal(signal.SIGINT)
    process.wait()


def figures(work: Path, files: int, env: dict[str, str]) -> Iterator[tuple[str, float]]:
    """Pairs of name and value (seconds, gigabytes or per cent) for a tree of ``files`` files."""
    root = tree(work / f"tree{files}", files, 150 if files < 100_000 else 40)
    label = f"{files:,} files"
    if files >= 100_000:
        interrupted(root, env, 15.0)
        _, out = ran(root, env, "index", "status", "--json")
        yield f"{label}: kept of an interrupted build", 100 * json.loads(out)["files"] / files
        for database in root.glob(".ctxe/cache/*/index.db"):
            database.unlink()
    cold, _ = ran(root, env, "index")
    yield f"{label}: cold index", cold
    yield f"{label}: memory in GB", resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6
    change(next(root.glob("package5/part0/*.py")))
    git(root, "commit", "-qam", "One more")
    yield f"{label}: one commit later", float(json.loads(ran(root, env, "index", "--json")[1])["seconds"])
    warm = [ran(root, env, "plan", "--json", "--budget", "8000", TASK) for _ in range(3)]
    yield f"{label}: warm plan, process", sorted(seconds for seconds, _ in warm)[1]
    yield f"{label}: ranking", min(json.loads(out)["timings_ms"]["rank"] for _, out in warm) / 1000


def index_of(files: int, bounds: dict[str, float]) -> Callable[[Path], list[Figure]]:
    """A measurement of index and planner on a tree of ``files`` files; ``bounds`` by the end of each figure's name."""

    def measured(work: Path) -> list[Figure]:
        found = []
        for name, value in figures(work, files, environment(work)):
            bound = next(bound for end, bound in bounds.items() if name.endswith(end))
            unit = "GB" if name.endswith("GB") else "%" if name.endswith("build") else "ms"
            found.append(Figure(name, value, bound, unit, least=unit == "%"))
        return found

    return measured
