"""A database is closed when its owner goes, however it goes."""

from __future__ import annotations

import gc
import sqlite3

import pytest

from ctxe.storage.owned import owned


class Owner:
    def __init__(self, db: sqlite3.Connection) -> None:
        self.db = owned(self, db)


def is_closed(db: sqlite3.Connection) -> bool:
    try:
        db.execute("SELECT 1")
    except sqlite3.ProgrammingError:
        return True
    return False


def test_it_is_closed_with_its_owner_and_not_before() -> None:
    db = sqlite3.connect(":memory:")
    owner = Owner(db)
    assert not is_closed(owner.db)
    del owner
    assert is_closed(db)


def test_owners_that_hold_each_other_let_go_too() -> None:
    db = sqlite3.connect(":memory:")
    owner, other = Owner(db), Owner(sqlite3.connect(":memory:"))
    owner.other, other.other = other, owner  # type: ignore[attr-defined]
    del owner, other
    gc.collect()
    assert is_closed(db)


@pytest.mark.parametrize("times", [1, 2])
def test_closing_it_before_is_fine(times: int) -> None:
    db = sqlite3.connect(":memory:")
    owner = Owner(db)
    for _ in range(times):
        owner.db.close()
    del owner
    assert is_closed(db)
