"""Opening cache databases, which are created anew when damaged and closed with their owner."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import weakref
from pathlib import Path

from ctxe.storage.files import make_folder, without_links


def close_with_owner(owner: object, db: sqlite3.Connection) -> sqlite3.Connection:
    """Have a connection closed when ``owner`` is garbage-collected; closing it earlier is fine.

    It is not closed at exit, since a forked process would release the locks of its parent.
    """
    weakref.finalize(owner, _close, db).atexit = False
    return db


def create_private(path: Path) -> None:
    """Create a database file and its folder as private; SQLite gives its other files the same mode.

    Symlinks at the paths of any of them are removed, since SQLite would follow them. Raises StoreError.
    """
    make_folder(path.parent)
    without_links(path, ("", "-wal", "-shm", "-journal"))
    with contextlib.suppress(OSError):  # opening it by SQLite reports the reason
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))


def open_database(owner: object, path: Path, schema: tuple[str, ...], seconds: float) -> sqlite3.Connection:
    """Open a database with this ``schema``, creating it with its folder when it is missing or damaged.

    Waits up to ``seconds`` for another process. Raises sqlite3.Error, StoreError and OSError. A file that is only
    locked or cannot be written is kept, since its content may be intact.
    """
    create_private(path)
    try:
        return close_with_owner(owner, _prepared(path, schema, seconds))
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError:
        path.unlink()
        return close_with_owner(owner, _prepared(path, schema, seconds))


def _prepared(path: Path, schema: tuple[str, ...], seconds: float) -> sqlite3.Connection:
    db = sqlite3.connect(path, timeout=seconds, check_same_thread=False)
    try:
        for statement in schema:
            db.execute(statement)
    except BaseException:
        db.close()
        raise
    return db


def _close(db: sqlite3.Connection) -> None:
    with contextlib.suppress(sqlite3.Error):
        db.close()
