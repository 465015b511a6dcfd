"""Counters that change often, kept in the cache so that branches do not conflict over them."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable, Mapping
from operator import add
from pathlib import Path

from ctxe.domain.errors import StoreError
from ctxe.storage.databases import open_database

SCHEMA = (
    "PRAGMA synchronous = OFF",
    "CREATE TABLE IF NOT EXISTS n (k TEXT, name TEXT, v REAL, PRIMARY KEY (k, name)) WITHOUT ROWID",
)
FEW_KEYS = 20
"""Keys up to which each is looked up by itself; for more, all counters are read."""
WAIT = 5.0
"""Seconds to wait for another process."""
COMBINED = {"first": min, "last": max}
"""How two values of a counter are combined; all others are added."""


class Counters:
    """Counters by key and name in one SQLite file; safe with several processes, and never raises.

    When the file cannot be used (read-only folder, damage), counters are kept in memory for this process.
    """

    def __init__(self, path: Path, *, still: bool = False) -> None:
        """``path`` is the database file, created at the first count.

        ``still`` counters are only read: a replay must not count again.
        """
        self._path, self._read_only = path, still
        self._db: sqlite3.Connection | None = None
        self._in_memory: dict[tuple[str, str], float] = {}

    def bump(self, key: str, at: float, **by: float) -> None:
        """Add to the counters of ``key`` and keep the first and last moment it was touched (unix seconds)."""
        if self._read_only:
            return
        rows = [(key, name, amount, amount) for name, amount in by.items()]
        try:
            db = self._open()
            with db:
                db.executemany("INSERT INTO n VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET v = v + ?", rows)
                db.execute(
                    "INSERT INTO n VALUES (?, 'first', ?) ON CONFLICT DO UPDATE SET v = MIN(v, ?)", (key, at, at)
                )
                db.execute("INSERT INTO n VALUES (?, 'last', ?) ON CONFLICT DO UPDATE SET v = MAX(v, ?)", (key, at, at))
        except (sqlite3.Error, StoreError, OSError):
            for _, name, amount, _ in rows:
                self._in_memory[key, name] = self._in_memory.get((key, name), 0.0) + amount
            self._in_memory[key, "first"] = min(at, self._in_memory.get((key, "first"), at))
            self._in_memory[key, "last"] = max(at, self._in_memory.get((key, "last"), at))

    def stilled(self) -> Counters:
        """The same counters, for reading only."""
        return Counters(self._path, still=True)

    def read(self, keys: Iterable[str] | None = None) -> Mapping[str, Mapping[str, float]]:
        """All counters, or those of some keys: ``{"a1b2…": {"seen": 3, "first": …, "last": …}}``."""
        wanted = None if keys is None else set(keys)
        counters: dict[str, dict[str, float]] = {}
        with contextlib.suppress(sqlite3.Error, StoreError, OSError):
            if self._path.exists():
                for key, name, value in _rows(self._open(), wanted):
                    counters.setdefault(key, {})[name] = value
        for (key, name), value in self._in_memory.items():
            if wanted is None or key in wanted:
                counters_of_key = counters.setdefault(key, {})
                counters_of_key[name] = (
                    COMBINED.get(name, add)(counters_of_key[name], value) if name in counters_of_key else value
                )
        return counters

    def close(self) -> None:
        """Close the file."""
        if self._db is not None:
            self._db.close()
            self._db = None

    def _open(self) -> sqlite3.Connection:
        if self._db is None:
            self._db = open_database(self, self._path, SCHEMA, WAIT)
        return self._db


def _rows(db: sqlite3.Connection, wanted: set[str] | None) -> Iterable[tuple[str, str, float]]:
    """All counters, or those of the ``wanted`` keys."""
    if wanted is not None and len(wanted) <= FEW_KEYS:
        for key in wanted:
            yield from db.execute("SELECT k, name, v FROM n WHERE k = ?", (key,))
        return
    for row in db.execute("SELECT k, name, v FROM n"):
        if wanted is None or row[0] in wanted:
            yield row
