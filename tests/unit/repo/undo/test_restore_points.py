"""The store of restore points: private, bounded, pruned, and safe against damage, links and crafted keys."""

import contextlib
import os
import stat
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from ctxe.domain.errors import StoreError
from ctxe.repo.undo import restore as undoing
from ctxe.repo.undo import snapshot
from ctxe.repo.undo.restore import Restore
from ctxe.repo.undo.snapshot import SnapshotBounds
from tests.unit.repo.undo.trees import git, sh, state, turn


@pytest.mark.parametrize("name", ["", "points", "blobs", "trees", "blobs/ab"])
def test_no_restore_point_is_written_through_a_link_of_the_repository(root: Path, store: Restore, name: str) -> None:
    outside = root.parent / "outside"
    (outside / "ab").mkdir(parents=True)
    (outside / "ab" / ("c" * 38)).write_text("precious")
    for number in range(100):
        (outside / f"{number:06d}.json").write_text("{}")
        (outside / f"{number:06d}").write_text("precious")
    place = root / ".ctxe/cache/restore" / name
    place.parent.mkdir(parents=True)
    place.symlink_to(outside)
    store = replace(store, folder=root / ".ctxe/cache/restore")
    held = sorted(outside.rglob("*"))

    def edited() -> None:
        for number in range(600):
            (root / f"new{number}.py").write_text(f"x = {number}\n")

    edited()
    for paths in ((), ("a.py",)):
        with contextlib.suppress(StoreError):
            turn(store, edited, paths)
            store.blobs.sweep((), 1e12)
            undoing.prune(store)
    assert sorted(outside.rglob("*")) == held


def test_the_total_size_of_copies_is_bounded(root: Path, store: Restore) -> None:
    for n in range(20):
        (root / f"data{n}").write_bytes(os.urandom(1000))
    store = replace(store, bounds=SnapshotBounds(total=5000))
    turn(store, lambda: None)
    assert store.blobs.size() <= 5000


def test_a_damaged_restore_store_is_reported_and_survived(root: Path, store: Restore) -> None:
    point = turn(store, lambda: (root / "new.txt").write_text("model\n"))
    for path in store.folder.rglob("*"):
        if path.is_file() and path.parent.name != "points":
            path.write_bytes(b"garbage")
    undone = undoing.undo(store, point)
    assert undone.restored == ()
    assert [path for path, _ in undone.failed] == ["new.txt"]
    assert "is gone" in undone.failed[0][1]
    assert (root / "new.txt").read_text() == "model\n"
    (store.points / f"{point.id}.json").write_text("{")
    assert undoing.latest(store, "s") is None
    turn(store, lambda: (root / "a.py").write_text("next\n"))
    found = undoing.latest(store, "s")
    assert found is not None
    assert undoing.undo(store, found).restored == ("a.py",)


def test_keys_from_a_crafted_store_read_no_other_file(root: Path, store: Restore) -> None:
    (root / ".ctxe").mkdir(exist_ok=True)
    for key in ("b:../../../../etc/passwd", "g:--textconv", "g:HEAD", "b:", ""):
        with pytest.raises(StoreError, match="is gone"):
            store.blobs.content(key)


def test_old_points_and_their_copies_are_pruned(root: Path, store: Restore) -> None:
    for n in range(6):
        turn(store, partial((root / "a.py").write_text, f"{n}\n"), ("a.py",))
    later = replace(store, now=lambda: time.time() + 7200)
    undoing.prune(later, kept=2)
    assert [point.id for point in undoing.points(later)] == ["000005", "000006"]
    kept = {
        key
        for p in undoing.points(later)
        for s in (p.before, p.after or {})
        for key in [e.key for e in s.values() if e]
    }
    assert {"b:" + path.parent.name + path.name for path in store.blobs.folder.glob("??/*")} == kept
    point = undoing.latest(later, "s")
    assert point is not None
    undoing.undo(later, point)
    assert (root / "a.py").read_text() == "4\n"


def test_files_left_by_a_killed_process_are_removed(root: Path, store: Restore) -> None:
    for name, age in ((".ctxe-0123456789ab.tmp", 700), ("pkg/.ctxe-ba9876543210.tmp", 700), (".ctxe-new.tmp", 5)):
        (root / name).write_text("half")
        os.utime(root / name, (time.time() - age, time.time() - age))
    turn(store, lambda: None)
    assert sorted(path.name for path in root.rglob(".ctxe-*")) == [".ctxe-new.tmp"]


def test_restore_points_and_copies_are_readable_by_the_user_only(root: Path, store: Restore) -> None:
    turn(store, lambda: (root / ".env").write_text("SECRET=3\n"))
    modes = {stat.S_IMODE(path.lstat().st_mode) for path in store.folder.rglob("*")}
    assert modes == {0o600, 0o700}


def test_unchanged_files_are_not_read_again(root: Path, store: Restore) -> None:
    first = snapshot.take(root, store.git, store.blobs, None, store.bounds)
    aged = replace(first, taken=first.taken + 10_000_000_000)
    assert snapshot.take(root, store.git, store.blobs, aged, store.bounds) is aged
    (root / "a.py").write_text("# a.py\nOne\ntwo\nthree\n")
    again = snapshot.take(root, store.git, store.blobs, aged, store.bounds)
    assert {path for path in again.entries if again.entries[path] != first.entries[path]} == {"a.py"}


def test_saved_snapshots_come_back_whole_or_not_at_all(root: Path, store: Restore, tmp_path: Path) -> None:
    (root / os.fsdecode(b"caf\xe9")).write_text("x")
    first = snapshot.take(root, store.git, store.blobs, None, store.bounds)
    snapshot.save(tmp_path / "saved", first)
    assert snapshot.load(tmp_path / "saved") == first
    (tmp_path / "saved").write_bytes((tmp_path / "saved").read_bytes()[:-9])
    assert snapshot.load(tmp_path / "saved") is None
    assert snapshot.load(tmp_path / "missing") is None


def test_many_files_that_git_holds_are_not_copied(root: Path, store: Restore) -> None:
    for n in range(100):
        (root / f"m{n}").write_text(f"text {n}\n")
    git(root, "add", "-A")
    git(root, "commit", "-qm", "many")
    was = state(root)
    point = turn(store, sh(root, "rm m*; echo new > m1"))
    assert len(list(store.blobs.folder.glob("??/*"))) <= 4
    undoing.undo(store, point)
    assert state(root) == was
