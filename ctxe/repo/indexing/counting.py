"""Tokens of the lines of indexed files, counted once, so that packing needs no vocabulary."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from ctxe.repo.files import read_text
from ctxe.repo.indexing import linecount
from ctxe.repo.indexing.database import transaction
from ctxe.repo.indexing.scan import Scanned, digest

COUNTED, SHOWN = ("source", "config"), ("source", "config", "test", "doc")
"""Kinds of files whose lines are counted, and those of a small tree; the lines of others are estimated when shown."""
SMALL = 12_000_000
"""Bytes of files that are counted with their tests and documents: half a second, which estimates would cost soon."""


def counter(root: Path, paths: Mapping[int, str], size: int) -> Callable[[Sequence[Scanned]], dict[int, bytes]]:
    """Counts the lines of scanned files by their ids, of those that are shown most; ``size``: bytes of all files."""
    exact = linecount.exact()
    kinds = SHOWN if size <= SMALL else COUNTED

    def count(scanned: Sequence[Scanned]) -> dict[int, bytes]:
        found = {}
        for one in scanned:
            path = paths.get(one.id)
            if one.kind in kinds and path is not None and (text := read_text(root, path)) is not None:
                lines = text.split("\n")
                if len(lines) == one.lines:
                    found[one.id] = exact(lines).tobytes()
        return found

    return count


def count_missing(db: sqlite3.Connection, root: Path, count_lines: linecount.Lines | None = None) -> int:
    """Count the lines of files that were not counted yet and did not change since; how many files those were."""
    rows = db.execute(
        "SELECT id, path, digest FROM files JOIN details USING (id)"
        " WHERE line_tokens=x'' AND lines>0 AND kind IN (SELECT value FROM json_each(?))",
        (json.dumps(COUNTED),),
    ).fetchall()
    count = count_lines or (linecount.exact() if rows else None)
    if count is None:
        return 0
    found = []
    for number, path, mark in rows:
        text = read_text(root, os.fsdecode(path))
        if text is not None and digest(text) == mark:
            found.append((count(text.split("\n")).tobytes(), number))
    with transaction(db):
        db.executemany("UPDATE details SET line_tokens=? WHERE id=?", found)
    return len(found)
