"""Databases of the cache: made anew when they are damaged, and closed when their owner goes."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import weakref
from pathlib import Path

from ctxe.storage.files import make_folder, without_links


def owned(owner: object, db: sqlite3.Connection) -> sqlite3.Connection:
    """The connection, to be closed when ``owner`` is no more; closing it before that is fine.

    A process that was forked off never closes it at its end: the file's locks are its parent's.
    """
    weakref.finalize(owner, _close, db).atexit = False
    return db


def alone(path: Path) -> None:
    """Make the folder of a database, and the file, for its user alone; SQLite gives its other files the same rights.

    Links in the place of any of them go, as SQLite would follow them. Raises StoreError.
    """
    make_folder(path.parent)
    without_links(path, ("", "-wal", "-shm", "-journal"))
    with contextlib.suppress(OSError):  # SQLite says itself why it cannot
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))


def opened(owner: object, path: Path, schema: tuple[str, ...], seconds: float) -> sqlite3.Connection:
    """A database whose ``schema`` stands, made with its folder where there is none or no sound one.

    Another process is waited for ``seconds``. Raises sqlite3.Error, StoreError and OSError. A file that is only locked,
    full or not ours to write is left alone: what stands in it may be sound.
    """
    alone(path)
    try:
        return owned(owner, _prepared(path, schema, seconds))
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError:
        path.unlink()
        return owned(owner, _prepared(path, schema, seconds))


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
