"""A damaged, torn, outdated or unwritable index is repaired, rebuilt or kept in memory; builds continue."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ctxe.repo.git import Git
from ctxe.repo.indexing import database
from ctxe.repo.indexing.index import Index
from ctxe.repo.indexing.repair import REBUILT, refresh_with_repair
from ctxe.repo.indexing.scan import DEFINED, NAMED
from ctxe.repo.indexing.worker_pool import WorkerPool
from tests.unit.repo.indexing.opened import counted, edges, having, opened


@pytest.mark.parametrize("damage", [b"", b"no database", b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_damaged_index_is_rebuilt(tree: Path, damage: bytes) -> None:
    (tree.parent / "index.db").write_bytes(damage)
    index = opened(tree)
    assert counted(index.refresh()) == (3, 0, 3)
    assert index.note == ""


def test_damage_in_the_middle_is_noticed_and_repaired(tree: Path) -> None:
    opened(tree).refresh()
    path = tree.parent / "index.db"
    data = bytearray(path.read_bytes())
    data[8192:40000] = b"\xee" * (min(len(data), 40000) - 8192)
    path.write_bytes(data)
    index = opened(tree)
    assert index.refresh().total == 3
    assert having(index, NAMED + "fill") == {"tea/cup.py"}


@pytest.mark.parametrize(
    "tear", ["UPDATE roster SET value = x'00' WHERE name = 'size'", "DELETE FROM roster WHERE name = 'mark'"]
)
def test_a_torn_list_of_files_is_noticed_and_repaired(tree: Path, tear: str) -> None:
    index = opened(tree)
    index.refresh()
    with index.db:
        assert index.db.execute(tear).rowcount == 1
    index.close()
    index = opened(tree)
    assert counted(refresh_with_repair(index)) == (3, 0, 3)
    assert (having(index, NAMED + "fill"), index.note) == ({"tea/cup.py"}, REBUILT)


def test_an_unwritable_folder_keeps_the_index_in_memory(tree: Path) -> None:
    blocker = tree.parent / "file"
    blocker.write_text("")
    index = Index(tree, Git(tree, os.environ), blocker / "index.db", 1)
    assert counted(index.refresh()) == (3, 0, 3)
    assert "kept in memory" in index.note


@pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit])
def test_an_interrupted_build_continues_where_it_stopped(tree: Path, stop: type[BaseException]) -> None:
    for number in range(400):
        (tree / f"m{number}.py").write_text(f"def name_{number}(): ...\n")

    def interrupt(done: int, _todo: int) -> None:
        raise stop

    index = opened(tree)
    index.segment_files = 100
    with pytest.raises(stop):
        index.refresh(interrupt)
    again = opened(tree)
    assert 0 < again.refresh().scanned < 403
    assert having(again, DEFINED + "name_399") == {"m399.py"}


def test_imports_scanned_before_an_interruption_are_linked(tree: Path) -> None:
    for number in range(400):
        (tree / "tea" / f"m{number}.py").write_text(f"from .m{(number + 1) % 400} import name\n")

    def interrupt(done: int, todo: int) -> None:
        if done > todo // 2:
            raise KeyboardInterrupt

    index = opened(tree)
    with pytest.raises(KeyboardInterrupt):
        index.refresh(interrupt)
    again, fresh = opened(tree), opened(tree, "other.db")
    assert again.refresh().scanned < 400
    fresh.refresh()
    assert edges(again) == edges(fresh)
    assert len(edges(again)) == 401


@pytest.mark.timeout(30)
def test_a_file_that_crashes_every_worker_is_an_error_and_does_not_hang(tree: Path) -> None:
    nameless: list[tuple[int, str]] = [(1, None)]  # type: ignore[list-item]
    staff = WorkerPool(tree, [[(2, "tea/pot.py")], nameless, [(3, "tea/cup.py")]], 10, 2)
    try:
        with pytest.raises(AttributeError):
            list(staff)
    finally:
        staff.stop()


def test_an_index_of_another_version_is_rebuilt(tree: Path) -> None:
    opened(tree).refresh()
    db = database.connect(tree.parent / "index.db")
    db.execute("PRAGMA user_version=999")
    db.close()
    assert counted(opened(tree).refresh()) == (3, 0, 3)
