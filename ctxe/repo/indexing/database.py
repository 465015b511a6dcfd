"""The index on disk: one SQLite file, created anew when it is damaged or of another version.

Losing it costs only time, for all it holds can be read from the tree again; only its vectors cost money, so they are
kept where possible.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from ctxe.domain.errors import StoreError
from ctxe.storage.databases import create_private

VERSION = 8
BUSY_SECONDS = 20.0
_SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE files (id INTEGER PRIMARY KEY, path BLOB NOT NULL UNIQUE, size INTEGER, mtime INTEGER, scanned INTEGER,
  segment INTEGER, kind TEXT, language TEXT, lines INTEGER, length INTEGER, digest BLOB);
CREATE TABLE roster (name TEXT PRIMARY KEY, value BLOB);
CREATE TABLE details (id INTEGER PRIMARY KEY, definitions TEXT, imports TEXT, units BLOB, lengths BLOB,
  line_tokens BLOB);
CREATE TABLE segments (id INTEGER PRIMARY KEY, files INTEGER);
CREATE TABLE postings (place INTEGER PRIMARY KEY, packed BLOB);
CREATE TABLE imports (importer INTEGER, target INTEGER, PRIMARY KEY (importer, target)) WITHOUT ROWID;
CREATE INDEX imported ON imports (target);
CREATE TABLE unlinked (importer INTEGER PRIMARY KEY);
CREATE TABLE history (key TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID;
CREATE TABLE messages (term TEXT, segment INTEGER, commits BLOB, PRIMARY KEY (term, segment)) WITHOUT ROWID;
"""


def connect(path: Path) -> sqlite3.Connection:
    """Open the database at ``path``, created anew when it is missing, damaged or of another version.

    Raises StoreError when it can be neither written nor read; ``connect_memory`` is then the way to go on.
    """
    create_private(path)
    try:
        return _open(str(path))
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError) and "locked" in str(error):
            raise StoreError(f"{path} is in use", "try again when the other session has finished") from error
        _remove(path)
    try:
        return _open(str(path))
    except sqlite3.DatabaseError as error:
        raise StoreError(f"cannot use {path}: {error}", "check permissions and free space") from error


def _remove(path: Path) -> None:
    for stale in (path, Path(f"{path}-wal"), Path(f"{path}-shm")):
        with contextlib.suppress(OSError):
            stale.unlink()


def renewed(db: sqlite3.Connection, path: Path) -> sqlite3.Connection:
    """Replace a damaged database by an empty one, with the vectors that can still be read. Raises StoreError."""
    vectors: list[tuple[str, bytes, bytes]] = []
    with contextlib.suppress(sqlite3.Error):
        vectors = db.execute("SELECT model, hash, vector FROM vectors").fetchall()
    db.close()
    _remove(path)
    fresh = connect(path)
    if vectors:
        from ctxe.storage.vectors import SCHEMA

        fresh.execute(SCHEMA)
        fresh.executemany("INSERT OR IGNORE INTO vectors VALUES (?,?,?)", vectors)
    return fresh


def connect_memory() -> sqlite3.Connection:
    """A database that lives as long as the process, for where nothing can be written."""
    return _open(":memory:")


def _open(name: str) -> sqlite3.Connection:
    db = sqlite3.connect(name, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=NORMAL")
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if version != VERSION:
            _create(db, version)
        db.execute("SELECT count(*) FROM (SELECT 1 FROM files LIMIT 1)").fetchone()
        if name != ":memory:":
            with contextlib.suppress(OSError):
                os.chmod(name, 0o600)  # noqa: PTH101 (a Path would have to be made first)
    except BaseException:
        db.close()
        raise
    return db


def _create(db: sqlite3.Connection, version: int) -> None:
    with transaction(db):
        if db.execute("PRAGMA user_version").fetchone()[0] != version:
            return  # another process came first
        for kind, name in db.execute("SELECT type, name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'").fetchall():
            if kind == "table" and name != "vectors":  # vectors cost money and are valid in any version
                db.execute(f'DROP TABLE "{name}"')
        for statement in _SCHEMA.split(";"):
            db.execute(statement)
        db.execute(f"PRAGMA user_version={VERSION}")


@contextlib.contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    """Within the block either everything is written or nothing."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:  # a full disk has ended it already
            db.execute("ROLLBACK")
        raise


def meta(db: sqlite3.Connection, key: str) -> object:
    """The value that ``note`` stored under ``key``, or None."""
    row = db.execute("SELECT value FROM meta WHERE key=?", (key,)).fetchone()
    return row[0] if row else None


def note(db: sqlite3.Connection, key: str, value: object) -> None:
    """Store a value under ``key``."""
    db.execute("INSERT OR REPLACE INTO meta VALUES (?,?)", (key, value))
