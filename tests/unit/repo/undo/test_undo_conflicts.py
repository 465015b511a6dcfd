"""What undo leaves alone and reports: later changes, large files, commits, nested repositories, links, hooks."""

import os
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import pytest

from ctxe.domain.errors import StoreError
from ctxe.repo.git import Git
from ctxe.repo.undo import restore as undoing
from ctxe.repo.undo.restore import Change, Restore
from ctxe.repo.undo.snapshot import SnapshotBounds
from tests.unit.repo.undo.trees import git, sh, state, turn


def test_later_changes_of_the_user_are_conflicts(root: Path, store: Restore) -> None:
    def act() -> None:
        for name in ("a.py", "b.py", "made.py"):
            (root / name).write_text("model\n")
        (root / "new.txt").unlink()

    was = state(root)
    point = turn(store, act)
    (root / "a.py").write_text("user\n")
    (root / "made.py").write_text("user\n")
    (root / "new.txt").write_text("user\n")
    undone = undoing.undo(store, point)
    assert (undone.restored, undone.conflicts) == (("b.py",), ("a.py", "made.py", "new.txt"))
    assert (root / "a.py").read_text() == (root / "made.py").read_text() == (root / "new.txt").read_text() == "user\n"
    forced = undoing.undo(store, point, force=True)
    assert forced.restored == ("a.py", "made.py", "new.txt")
    assert state(root) == was
    assert forced.redo is not None
    undoing.undo(store, forced.redo)
    assert (root / "a.py").read_text() == "user\n"


def test_a_change_already_reverted_by_the_user_is_no_conflict(root: Path, store: Restore) -> None:
    text = (root / "a.py").read_bytes()
    point = turn(store, lambda: (root / "a.py").write_text("model\n"))
    (root / "a.py").write_bytes(text)
    undone = undoing.undo(store, point)
    assert (undone.restored, undone.conflicts, undone.redo) == ((), (), None)


def test_changes_made_between_tool_calls_are_not_the_sessions(root: Path, store: Restore) -> None:
    point = undoing.cover_tree(store, undoing.take(store))
    time.sleep(0.15)
    began = time.time()
    (root / "a.py").write_text("model\n")
    ended = time.time()
    time.sleep(0.15)
    (root / "b.py").write_text("user in the editor\n")
    point = undoing.finish(store, point, [(began, ended)])
    assert point.foreign == ("b.py",)
    undone = undoing.undo(store, point)
    assert (undone.restored, undone.conflicts) == (("a.py",), ("b.py",))
    assert (root / "b.py").read_text() == "user in the editor\n"


def test_files_too_large_to_keep_are_reported_and_left(root: Path, store: Restore) -> None:
    store = replace(store, bounds=SnapshotBounds(file=1000))
    (root / "big.bin").write_bytes(b"x" * 5000)

    def act() -> None:
        (root / "big.bin").write_bytes(b"y" * 5000)
        (root / "huge.bin").write_bytes(b"z" * 6000)

    point = turn(store, act)
    assert undoing.changes(store, point) == (Change("big.bin", "edited", False), Change("huge.bin", "created"))
    undone = undoing.undo(store, point)
    assert undone.failed == (
        ("big.bin", "its old content (5,000 bytes) was too large to keep"),
        (
            "huge.bin",
            "it is new, but its 6,000 bytes are too large to bring back later, so it stays (--force removes it)",
        ),
    )
    with pytest.raises(StoreError, match="is gone"):
        undoing.before(store, point, "big.bin")


def test_a_change_that_cannot_be_restored_does_not_block_other_turns(root: Path, store: Restore) -> None:
    store = replace(store, bounds=SnapshotBounds(file=1000))
    (root / "big.bin").write_bytes(b"x" * 5000)
    first = turn(store, lambda: (root / "a.py").write_text("one\n"))
    lost = turn(store, lambda: (root / "big.bin").write_bytes(b"y" * 5000))
    assert undoing.undo(store, lost).failed == (("big.bin", "its old content (5,000 bytes) was too large to keep"),)
    latest = undoing.latest(store, "s")
    assert latest is not None
    assert latest.id == first.id
    new = turn(store, lambda: (root / "huge.bin").write_bytes(b"z" * 6000))
    assert len(undoing.undo(store, new).failed) == 1
    assert undoing.latest(store, "s") == undoing.points(store)[-1], "force can remove it"
    assert undoing.undo(store, new, force=True).restored == ("huge.bin",)


def test_a_commit_is_reported_and_not_undone(root: Path, store: Restore) -> None:
    point = turn(store, sh(root, "echo x >> a.py; git add -A; git commit -qm second"))
    head = git(root, "rev-parse", "HEAD")
    undone = undoing.undo(store, point)
    assert git(root, "rev-parse", "HEAD") == head
    assert (root / "a.py").read_text() == "# a.py\none\ntwo\nthree\n"
    assert len(undone.notes) == 1
    assert f"to {head[:12]} during the turn; commits are not undone (still there)" in undone.notes[0]


def test_changes_in_a_nested_repository_are_reported_and_not_undone(root: Path, store: Restore) -> None:
    (root / "sub").mkdir()
    git(root / "sub", "init", "-q")
    for name in ("one", "two", "edited"):
        (root / "sub" / name).write_text("1\n")
    git(root / "sub", "add", "one")
    git(root / "sub", "commit", "-qm", "sub")
    time.sleep(0.06)
    store = replace(store, now=time.time)
    point = turn(store, sh(root, "echo x >> a.py; echo 2 > sub/one; echo 2 > sub/two"))
    undone = undoing.undo(store, point)
    said = "sub is a repository of its own; its later changes stay: sub/one and 1 more"
    assert (undone.restored, undone.notes) == (("a.py",), (said,))
    quiet = turn(store, sh(root, "echo y >> a.py"))
    assert undoing.undo(store, quiet).notes == ()


def test_files_no_longer_ignored_are_not_taken_for_new(root: Path, store: Restore) -> None:
    was = state(root)
    time.sleep(0.06)
    point = turn(store, (root / ".gitignore").unlink)
    assert undoing.changes(store, point) == (Change(".gitignore", "deleted"),)
    undoing.undo(store, point)
    assert state(root) == was


def test_undo_leaves_build_output_in_ignored_folders(root: Path, store: Restore) -> None:
    point = turn(store, sh(root, "rm .gitignore; echo new > build/out.o; echo x > a.py"))
    undone = undoing.undo(store, point)
    assert undone.failed == (("build/out.o", "it is ignored by the restored .gitignore, so it stays"),)
    assert (root / "build/out.o").read_text() == "new\n"
    assert (root / "a.py").read_text() == "# a.py\none\ntwo\nthree\n"


def test_undo_does_not_follow_a_link_in_place_of_a_folder(root: Path, store: Restore, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "c.py").write_text("theirs\n")
    point = turn(store, lambda: (root / "pkg/c.py").write_text("model\n"))
    (root / "pkg/c.py").unlink()
    (root / "pkg").rmdir()
    (root / "pkg").symlink_to(out)
    undone = undoing.undo(store, point, force=True)
    assert [path for path, _ in undone.failed] == ["pkg/c.py"]
    assert (out / "c.py").read_text() == "theirs\n"
    assert [path.name for path in out.iterdir()] == ["c.py"]


def test_undo_runs_no_filters_or_hooks_of_the_repository(root: Path, store: Restore) -> None:
    git(root, "config", "filter.evil.clean", f"touch {root}/HOSTILE; cat")
    git(root, "config", "filter.evil.smudge", f"touch {root}/HOSTILE; cat")
    git(root, "config", "core.fsmonitor", f"touch {root}/HOSTILE; false")
    (root / ".gitattributes").write_text("*.py filter=evil text eol=crlf\n")
    was = state(root)
    point = turn(store, lambda: (root / "a.py").write_text("x\n"))
    undoing.undo(store, point)
    assert state(root) == was


def test_ignore_files_count_without_git(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / ".gitignore").write_text("*.tmp\n")
    (tmp_path / "sub/a").write_text("a")
    (tmp_path / "b.tmp").write_text("b")
    store = Restore(Git(tmp_path, {"PATH": os.environ["PATH"]}), tmp_path / ".ctxe/cache/restore", time.time)
    was = state(tmp_path)

    def act() -> None:
        (tmp_path / "sub/a").write_text("changed")
        (tmp_path / "new").write_text("new")

    point = turn(store, act)
    assert undoing.changes(store, point) == (Change("new", "created"), Change("sub/a", "edited"))
    undoing.undo(store, point)
    assert state(tmp_path) == was


@pytest.mark.parametrize("place", ["bare of commits", "worktree", "submodule", "detached", "merge"])
def test_undo_works_in_odd_repositories(tmp_path: Path, root: Path, place: str) -> None:
    at = root
    if place == "bare of commits":
        at = tmp_path / "unborn"
        at.mkdir()
        git(at, "init", "-q")
        (at / "f").write_text("f")
    elif place == "worktree":
        at = tmp_path / "tree"
        git(root, "worktree", "add", "-q", str(at), "HEAD")
    elif place == "submodule":
        git(root, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(root), "sub")
    elif place == "detached":
        git(root, "checkout", "-q", "--detach")
    else:
        git(root, "commit", "-qam", "all")
        git(root, "checkout", "-qb", "side", "HEAD~1")
        (root / "a.py").write_text("side\n")
        git(root, "commit", "-qam", "side")
        git(root, "checkout", "-q", "main")
        (root / "a.py").write_text("main\n")
        git(root, "commit", "-qam", "main")
        subprocess.run(["git", "merge", "-q", "side"], cwd=root, capture_output=True, check=False)
    store = Restore(Git(at, {"PATH": os.environ["PATH"]}), tmp_path / "restore", time.time)
    was = state(at)
    name = next(path for path, seen in was.items() if len(seen) == 3 and not path.startswith((".git", "sub/")))

    def act() -> None:
        (at / name).write_text("model\n")
        (at / "made").write_text("made\n")

    point = turn(store, act)
    undone = undoing.undo(store, point)
    assert set(undone.restored) == {name, "made"}
    assert state(at) == was
