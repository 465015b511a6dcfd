"""Run a test many times and tell how often it fails and with which words: again.py TEST [TIMES] [PYTEST OPTIONS...]."""

from __future__ import annotations

import collections
import re
import subprocess
import sys


def reason(output: str) -> str:
    """The first line of pytest's own account of an error."""
    lines = [line[1:].strip() for line in output.splitlines() if line.startswith("E ")]
    if lines:
        return re.sub(r"0x[0-9a-f]+|\d{4,}", "N", lines[0])[:160]
    return (output.strip().splitlines() or ["no output"])[-1][:160]


def main() -> int:
    """Exit 1 when the test ever failed."""
    if len(sys.argv) < 2:
        sys.stderr.write("again.py TEST [TIMES] [PYTEST OPTIONS...]\n")
        return 2
    times = int(sys.argv[2]) if len(sys.argv) > 2 and sys.argv[2].isdigit() else 20
    options = sys.argv[3 if len(sys.argv) > 2 and sys.argv[2].isdigit() else 2 :]
    command = [sys.executable, "-m", "pytest", "-q", "--tb=short", "-p", "no:cacheprovider", sys.argv[1], *options]
    why: collections.Counter[str] = collections.Counter()
    for _ in range(times):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode > 1:
            sys.stderr.write(done.stdout[-2000:] + done.stderr[-2000:])
            return 2
        if done.returncode:
            why[reason(done.stdout)] += 1
    failed = sum(why.values())
    sys.stdout.write(f"failed {failed} of {times} runs\n")
    for words, often in why.most_common():
        sys.stdout.write(f"{often:4}x {words}\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
