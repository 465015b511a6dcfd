"""Database connections that are closed when their owner goes: nobody has to remember, and none is left open."""

from __future__ import annotations

import contextlib
import sqlite3
import weakref


def owned(owner: object, db: sqlite3.Connection) -> sqlite3.Connection:
    """The connection, to be closed when ``owner`` is no more; closing it before that is fine.

    A process that was forked off never closes it at its end: the file's locks are its parent's.
    """
    weakref.finalize(owner, _close, db).atexit = False
    return db


def _close(db: sqlite3.Connection) -> None:
    with contextlib.suppress(sqlite3.Error):
        db.close()
