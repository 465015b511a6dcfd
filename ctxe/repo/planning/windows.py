"""Windows of source and documents, which are embedded as vectors by content hash and compared with a task."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator

from ctxe.repo.files import read_text
from ctxe.repo.indexing.database import transaction
from ctxe.repo.indexing.index import Index
from ctxe.repo.planning.evidence import Scores
from ctxe.storage.vectors import Vectors, key_of

LINES = 40
LONGEST = 6_000
"""Most characters of a window that are embedded."""
KINDS = ("source", "doc", "config")
AT_ONCE = 200
"""Windows that a plan embeds without being asked; more are left to ``ctxe index``."""
LONGEST_QUERY = 4_000
_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS windows (file INTEGER, first INTEGER, last INTEGER, hash BLOB,"
    " PRIMARY KEY (file, first)) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS windowed (file INTEGER PRIMARY KEY, digest BLOB)",
)

Clean = Callable[[str], str]
"""Removes secrets and the like, which no model may see, from a text."""


def windows(path: str, text: str, clean: Clean = str) -> Iterator[tuple[int, int, str]]:
    """(first line, last line, text to embed) of every window of a file that is not blank."""
    lines = text.split("\n")
    for start in range(0, len(lines), LINES):
        window = "\n".join(lines[start : start + LINES])
        if window.strip():
            yield start + 1, min(start + LINES, len(lines)), f"{path}\n{clean(window)}"[:LONGEST]


def cut(index: Index, clean: Clean = str) -> None:
    """Store the windows of files that changed, and remove those of files that are gone."""
    for statement in _SCHEMA:
        index.db.execute(statement)
    digests = dict(index.db.execute("SELECT id, digest FROM files WHERE kind IN (?,?,?)", KINDS))
    stored_digests = dict(index.db.execute("SELECT file, digest FROM windowed"))
    stale = [number for number, mark in digests.items() if stored_digests.get(number) != mark]
    removed = [number for number in stored_digests if number not in digests]
    rows = []
    for number in stale:
        path = index.files[number].path
        file_windows = windows(path, read_text(index.root, path) or "", clean)
        rows += [(number, first, last, key_of(text)) for first, last, text in file_windows]
    with transaction(index.db):
        index.db.executemany("DELETE FROM windows WHERE file=?", [(number,) for number in (*stale, *removed)])
        index.db.executemany("DELETE FROM windowed WHERE file=?", [(number,) for number in removed])
        index.db.executemany("INSERT OR REPLACE INTO windows VALUES (?,?,?,?)", rows)
        index.db.executemany("INSERT OR REPLACE INTO windowed VALUES (?,?)", [(file, digests[file]) for file in stale])


def missing(index: Index, vectors: Vectors, clean: Clean = str) -> list[str]:
    """The texts of the stored windows that have no vector yet."""
    rows = list(index.db.execute("SELECT file, hash FROM windows"))
    unknown = vectors.unknown(key for _, key in rows)
    files = sorted({number for number, key in rows if key in unknown})
    missing_texts = []
    for number in files:
        path = index.files[number].path
        texts = (text for _, _, text in windows(path, read_text(index.root, path) or "", clean))
        missing_texts += [text for text in texts if key_of(text) in unknown]
    return missing_texts


def embed(
    index: Index,
    vectors: Vectors,
    clean: Clean = str,
    most: int | None = None,
    advance: Callable[[int], None] = lambda done: None,
) -> int:
    """Embed windows that have no vector, at most ``most``. Returns how many are left without one."""
    cut(index, clean)
    texts = missing(index, vectors, clean)
    chosen = texts if most is None else texts[:most]
    vectors.learn(chosen, advance)
    return len(texts) - len(chosen)


def meaning(index: Index, vectors: Vectors, task: str) -> Scores:
    """How close the best window of each file is to a task: 1 for the closest file, 0 for the median one and below."""
    closeness = vectors.nearest(task[:LONGEST_QUERY])
    best: Scores = {}
    for number, key in index.db.execute("SELECT file, hash FROM windows"):
        if key in closeness and closeness[key] > best.get(number, -1.0):
            best[number] = closeness[key]
    if not best:
        return {}
    median, highest = statistics.median(best.values()), max(best.values())
    span = highest - median
    return {number: (score - median) / span for number, score in best.items() if score > median} if span > 0.0 else {}
