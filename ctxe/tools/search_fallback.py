"""Searching without ripgrep, as a separate program, so that a regex that never finishes can be stopped.

Its argument names a file with one JSON object (pattern, literal, context, root, files); it prints the events of
``rg --json`` that we use. It imports only the standard library and is started with ``python -I``, so nothing comes
from the project.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

LARGEST = 16_000_000


def main(task: str) -> int:
    """Search and print. Exit codes as ripgrep's: 0 with matches, 1 without, 2 for a bad pattern."""
    wanted = json.loads(Path(task).read_text("utf-8"))
    source = re.escape(wanted["pattern"]) if wanted["literal"] else wanted["pattern"]
    try:
        pattern = re.compile(source)
    except (re.error, OverflowError, RecursionError) as error:
        sys.stdout.write(f"regex parse error: {error}\n")
        return 2
    has_matches, linked = False, links(wanted["root"])
    for path in wanted["files"]:
        if linked(path):
            continue
        for event in search(Path(wanted["root"], path), path, pattern, wanted["context"]):
            has_matches = True
            sys.stdout.write(json.dumps(event) + "\n")
    return 0 if has_matches else 1


def links(root: str) -> Callable[[str], bool]:
    """Whether a path, or a folder on its way, is a symlink, which may lead outside or to a file with keys."""

    @cache
    def linked(path: str) -> bool:
        return bool(path) and (Path(root, path).is_symlink() or linked(path.rpartition("/")[0]))

    return linked


def search(file: Path, path: str, pattern: re.Pattern[str], context: int) -> Iterator[dict[str, Any]]:
    """Match and context events of one file; none for a binary, very large or unreadable file."""
    try:
        if not file.is_file() or file.stat().st_size > LARGEST:
            return
        data = file.read_bytes()
    except OSError:
        return
    if b"\0" in data[:8192]:
        return
    lines = data.decode("utf-8", "replace").split("\n")
    if lines and not lines[-1]:
        lines.pop()
    hits = {number: match.start() for number, line in enumerate(lines) if (match := pattern.search(line.rstrip("\r")))}
    for number in _around(hits, len(lines), context):
        kind = "match" if number in hits else "context"
        yield {
            "type": kind,
            "data": {
                "path": {"text": path},
                "lines": {"text": lines[number]},
                "line_number": number + 1,
                "submatches": [{"start": hits[number]}] if number in hits else [],
            },
        }


def _around(hits: dict[int, int], total: int, context: int) -> Sequence[int]:
    numbers = {number for hit in hits for number in range(max(0, hit - context), min(total, hit + context + 1))}
    return sorted(numbers)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
