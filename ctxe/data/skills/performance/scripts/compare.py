"""Run two commands in turn and tell whether one is really faster: compare.py TIMES "OLD COMMAND" "NEW COMMAND"."""

from __future__ import annotations

import random
import shlex
import statistics
import subprocess
import sys
import time


def seconds(command: list[str]) -> float:
    """Wall seconds of one run. Raises SystemExit when it fails."""
    began = time.perf_counter()
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        sys.exit(f"{shlex.join(command)} failed with {done.returncode}: {done.stderr[-500:]}")
    return time.perf_counter() - began


def chance(old: list[float], new: list[float], tries: int = 5_000) -> float:
    """How often a random split of all runs differs in ranks as much as these two do (permutation test)."""
    order = sorted([*old, *new])
    ranks = [order.index(one) for one in (*old, *new)]
    middle, draw = len(old) * (len(ranks) - 1) / 2, random.Random(0)
    differs, as_much = abs(sum(ranks[: len(old)]) - middle), 0
    for _ in range(tries):
        draw.shuffle(ranks)
        as_much += abs(sum(ranks[: len(old)]) - middle) >= differs
    return as_much / tries


def main() -> int:
    """Print median, fastest and slowest of each, and the verdict."""
    if len(sys.argv) != 4 or not sys.argv[1].isdigit() or int(sys.argv[1]) < 5:
        sys.stderr.write('compare.py TIMES "OLD COMMAND" "NEW COMMAND" (5 times at least)\n')
        return 2
    commands = [shlex.split(words) for words in sys.argv[2:]]
    for command in commands:
        seconds(command)
    runs: list[list[float]] = [[], []]
    for _ in range(int(sys.argv[1])):
        for number, command in enumerate(commands):
            runs[number].append(seconds(command))
    for name, times in zip(("old", "new"), runs, strict=True):
        sys.stdout.write(
            f"{name}: median {statistics.median(times) * 1e3:.1f} ms"
            f", {min(times) * 1e3:.1f} to {max(times) * 1e3:.1f}\n"
        )
    ratio = statistics.median(runs[1]) / statistics.median(runs[0])
    by_chance = chance(runs[0], runs[1])
    verdict = "real" if by_chance < 0.02 else "not beyond noise: more runs, or no difference"
    sys.stdout.write(f"new takes {ratio:.2f} of old; {verdict} (p {by_chance:.3f})\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
