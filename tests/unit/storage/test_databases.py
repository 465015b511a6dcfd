"""A database is closed when its owner is garbage-collected, however that happens."""

from __future__ import annotations

import gc
import os
import sqlite3
from pathlib import Path

import pytest

from ctxe.storage.databases import close_with_owner, open_database


class Owner:
    def __init__(self, db: sqlite3.Connection) -> None:
        self.db = close_with_owner(self, db)


def is_closed(db: sqlite3.Connection) -> bool:
    try:
        db.execute("SELECT 1")
    except sqlite3.ProgrammingError:
        return True
    return False


def test_a_database_is_closed_with_its_owner_and_not_before() -> None:
    db = sqlite3.connect(":memory:")
    owner = Owner(db)
    assert not is_closed(owner.db)
    del owner
    assert is_closed(db)


def test_owners_in_a_reference_cycle_close_their_databases() -> None:
    db = sqlite3.connect(":memory:")
    owner, other = Owner(db), Owner(sqlite3.connect(":memory:"))
    owner.other, other.other = other, owner  # type: ignore[attr-defined]
    del owner, other
    gc.collect()
    assert is_closed(db)


@pytest.mark.parametrize("times", [1, 2])
def test_closing_a_database_early_is_no_error(times: int) -> None:
    db = sqlite3.connect(":memory:")
    owner = Owner(db)
    for _ in range(times):
        owner.db.close()
    del owner
    assert is_closed(db)


def test_a_database_and_its_journal_are_readable_by_the_user_only(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        owner = Owner(sqlite3.connect(":memory:"))
        db = open_database(owner, tmp_path / "made/x.db", ("PRAGMA journal_mode=WAL", "CREATE TABLE a (b)"), 1.0)
        db.execute("INSERT INTO a VALUES (1)")
        modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "made").iterdir()}
    finally:
        os.umask(before)
    assert modes == {"x.db": 0o600, "x.db-wal": 0o600, "x.db-shm": 0o600}
