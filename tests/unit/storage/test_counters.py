"""Counters changed by several processes: no count is lost to a lock, and a damaged file costs only itself."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from ctxe.storage.counters import FEW_KEYS, Counters
from ctxe.storage.databases import open_database

SEEN = {"seen": 1.0, "first": 5.0, "last": 5.0}


class Owner:
    """Somebody who holds a database."""


@contextmanager
def counters(path: Path) -> Iterator[Counters]:
    with closing(Counters(path)) as made:
        yield made


def no_row_may_change(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        for verb in ("INSERT", "UPDATE"):
            db.execute(f"CREATE TRIGGER no_{verb} BEFORE {verb} ON n BEGIN SELECT RAISE(ABORT, 'no'); END")


def test_numbers_are_added_and_the_first_and_last_moment_kept(tmp_path: Path) -> None:
    path = tmp_path / "cache" / "counters.db"
    with counters(path) as some:
        some.bump("a", 7.0, seen=2, used=1)
        some.bump("a", 5.0, seen=1)
        some.bump("b", 6.0)
    with counters(path) as others:
        a = {"seen": 3.0, "used": 1.0, "first": 5.0, "last": 7.0}
        assert others.read() == {"a": a, "b": {"first": 6.0, "last": 6.0}}
        assert others.read(["a", "unknown"]) == {"a": a}


@pytest.mark.parametrize("asked", [FEW_KEYS, FEW_KEYS + 1])
def test_asking_for_few_and_for_many_keys_gives_the_same(tmp_path: Path, asked: int) -> None:
    with counters(tmp_path / "counters.db") as some:
        for number in range(asked + 5):
            some.bump(str(number), 5.0, seen=1)
        assert some.read(map(str, range(asked))) == {str(number): SEEN for number in range(asked)}


def test_read_only_counters_are_read_and_never_changed(tmp_path: Path) -> None:
    with counters(tmp_path / "counters.db") as some, closing(some.stilled()) as still:
        some.bump("a", 5.0, seen=1)
        still.bump("a", 9.0, seen=1)
        assert still.read() == some.read() == {"a": SEEN}


def test_reading_counters_creates_no_file(tmp_path: Path) -> None:
    with counters(tmp_path / "cache" / "counters.db") as some:
        assert some.read() == {}
    assert list(tmp_path.iterdir()) == []


def test_unsaved_counts_are_kept_in_this_process_and_added_to_later_writes(tmp_path: Path) -> None:
    path = tmp_path / "counters.db"
    with counters(path) as some:
        some.bump("a", 5.0, seen=1)
        no_row_may_change(path)
        some.bump("a", 9.0, seen=1)
        some.bump("a", 3.0, used=1)
        some.bump("a", 4.0, used=1)
        assert some.read() == {"a": {"seen": 2.0, "used": 2.0, "first": 3.0, "last": 9.0}}
        assert some.read(["b"]) == {}
    with counters(path) as others:
        assert others.read() == {"a": SEEN}


def test_a_damaged_counter_file_is_rebuilt(tmp_path: Path) -> None:
    path = tmp_path / "counters.db"
    path.write_bytes(b"no database " * 400)
    with counters(path) as some:
        assert some.read() == {}
        some.bump("a", 5.0, seen=1)
        assert some.read() == {"a": SEEN}


def test_a_locked_counter_file_is_not_discarded(tmp_path: Path) -> None:
    path, owner = tmp_path / "counters.db", Owner()
    with counters(path) as some:
        some.bump("a", 5.0, seen=1)
    with closing(sqlite3.connect(path, isolation_level=None)) as busy:
        busy.execute("BEGIN EXCLUSIVE")
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            open_database(owner, path, ("CREATE TABLE IF NOT EXISTS n (k)",), 0.05)
    with counters(path) as others:
        assert others.read() == {"a": SEEN}


def test_a_folder_in_place_of_the_counter_file_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "counters.db").mkdir()
    with counters(tmp_path / "counters.db") as some:
        some.bump("a", 5.0, seen=1)
        assert some.read() == {"a": SEEN}
