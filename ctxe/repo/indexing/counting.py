"""Counting the tokens of indexed files' lines once, so that a plan can pack them without loading the vocabulary."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from ctxe.repo.files import read_text
from ctxe.repo.indexing import line_tokens
from ctxe.repo.indexing.database import transaction
from ctxe.repo.indexing.scan import Scanned, digest

KINDS_OF_LARGE_TREES, KINDS_OF_SMALL_TREES = ("source", "config"), ("source", "config", "test", "doc")
"""Kinds of files whose lines are counted in a large tree, and in a small one; others are estimated when shown."""
SMALL_TREE = 12_000_000
"""Bytes of files up to which tests and documents are counted as well, which takes half a second."""


def counter(root: Path, paths: Mapping[int, str], size: int) -> Callable[[Sequence[Scanned]], dict[int, bytes]]:
    """A function that counts the tokens of each line of scanned files; ``size`` is the bytes of all files.

    It gives packed 16-bit numbers by file id, for the kinds of files that plans show most.
    """
    exact = line_tokens.exact()
    kinds = KINDS_OF_SMALL_TREES if size <= SMALL_TREE else KINDS_OF_LARGE_TREES

    def count(scanned: Sequence[Scanned]) -> dict[int, bytes]:
        counts = {}
        for file in scanned:
            path = paths.get(file.id)
            if file.kind in kinds and path is not None and (text := read_text(root, path)) is not None:
                lines = text.split("\n")
                if len(lines) == file.lines:
                    counts[file.id] = exact(lines).tobytes()
        return counts

    return count


def count_missing(db: sqlite3.Connection, root: Path, count_lines: line_tokens.Lines | None = None) -> int:
    """Count the lines of indexed files that were not counted yet and are unchanged. Returns the number of files."""
    rows = db.execute(
        "SELECT id, path, digest FROM files JOIN details USING (id)"
        " WHERE line_tokens=x'' AND lines>0 AND kind IN (SELECT value FROM json_each(?))",
        (json.dumps(KINDS_OF_LARGE_TREES),),
    ).fetchall()
    count = count_lines or (line_tokens.exact() if rows else None)
    if count is None:
        return 0
    counted = []
    for number, path, mark in rows:
        text = read_text(root, os.fsdecode(path))
        if text is not None and digest(text) == mark:
            counted.append((count(text.split("\n")).tobytes(), number))
    with transaction(db):
        db.executemany("UPDATE details SET line_tokens=? WHERE id=?", counted)
    return len(counted)
