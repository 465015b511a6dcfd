"""Undo brings back bytes, modes and times, touches nothing of git's, and never a later change of the user's."""

import contextlib
import os
import stat
import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ctxe.domain.errors import StoreError
from ctxe.repo.git import Git
from ctxe.repo.undo import restore as undoing
from ctxe.repo.undo import snapshot
from ctxe.repo.undo.restore import Change, Restore
from ctxe.repo.undo.snapshot import FEW, SnapshotBounds

State = dict[str, tuple[object, ...]]


def run(root: Path, *argv: str) -> str:
    out = subprocess.run(
        argv, cwd=root, check=True, capture_output=True, env={"PATH": os.environ["PATH"], "HOME": str(root)}
    )
    return out.stdout.decode("utf-8", "surrogateescape")


def git(root: Path, *args: str) -> str:
    return run(root, "git", "-c", "user.name=a", "-c", "user.email=a@example.org", *args)


def state(root: Path, times: bool = True) -> State:
    """Everything below the root but git's folder and ours: kind, mode, content, and the times of files."""
    found: State = {}
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name not in {".git", ".ctxe"}]
        for name in [*folders, *names]:
            path = Path(folder, name)
            seen = path.lstat()
            key = os.fspath(path.relative_to(root))
            if path.is_symlink():
                found[key] = ("link", os.readlink(path))  # noqa: PTH115
            elif path.is_dir():
                found[key] = ("folder",)
            else:
                content = path.read_bytes() if stat.S_ISREG(seen.st_mode) else b""
                found[key] = (stat.S_IMODE(seen.st_mode), content, seen.st_mtime_ns if times else 0)
    return found


def of_git(root: Path) -> tuple[str, ...]:
    return (
        git(root, "status", "--porcelain=v2"),
        git(root, "diff"),
        git(root, "diff", "--cached"),
        git(root, "for-each-ref"),
        git(root, "stash", "list"),
    )


@pytest.fixture(params=[0, FEW], ids=["few", "many"])
def root(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A repository with a staged, an unstaged, a half-staged, an untracked, an ignored file and a link.

    With many files what git holds is not copied.
    """
    root = tmp_path / "repo"
    root.mkdir()
    git(root, "init", "-q", "-b", "main")
    for name in ("a.py", "b.py", "half.py", "pkg/c.py", "run.sh"):
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(f"# {name}\none\ntwo\nthree\n")
    (root / "run.sh").chmod(0o755)
    (root / "crlf.txt").write_bytes(b"a\r\nb\r\n")
    (root / ".gitignore").write_text(".env\nbuild/\n*.log\n.ctxe/\n")
    (root / "ln").symlink_to("a.py")
    for number in range(request.param):
        (root / f"many{number}.txt").write_text(f"{number}\n")
    git(root, "add", "-A")
    git(root, "commit", "-qm", "first")
    (root / "b.py").write_text("staged\n")
    git(root, "add", "b.py")
    (root / "half.py").write_text("half staged\n")
    git(root, "add", "half.py")
    (root / "half.py").write_text("half staged\nand more\n")
    (root / "pkg/c.py").write_text("unstaged\n")
    (root / "new.txt").write_text("untracked\n")
    (root / ".env").write_text("SECRET=1\n")
    (root / "build").mkdir()
    (root / "build/out.o").write_bytes(b"\0\1")
    return root


@pytest.fixture
def store(root: Path) -> Restore:
    return Restore(Git(root, {"PATH": os.environ["PATH"]}), root / ".ctxe/cache/restore", time.time)


def turn(store: Restore, act: Callable[[], object], paths: tuple[str, ...] = ()) -> undoing.Point:
    """One turn: covered as edits when paths are given, else as a command."""
    point = undoing.take(store, "s", 1, "a turn")
    point = undoing.cover(store, point, paths) if paths else undoing.cover_tree(store, point)
    act()
    return undoing.finish(store, point)


def sh(root: Path, command: str) -> Callable[[], object]:
    return lambda: git_shell(root, command)


def git_shell(root: Path, command: str) -> str:
    return run(root, "sh", "-c", f"git config user.name a; git config user.email a@example.org; {command}")


def test_an_edit_is_undone_and_redone(root: Path, store: Restore) -> None:
    was, held = state(root), of_git(root)
    point = turn(store, lambda: (root / "a.py").write_bytes(b"new\n"), ("a.py",))
    then = state(root)
    assert undoing.changes(store, point) == (Change("a.py", "edited"),)
    assert undoing.before(store, point, "a.py") == b"# a.py\none\ntwo\nthree\n"
    undone = undoing.undo(store, point)
    assert (undone.restored, undone.conflicts, undone.failed, undone.notes) == (("a.py",), (), (), ())
    assert (state(root), of_git(root)) == (was, held)
    assert undone.redo is not None
    assert undoing.undo(store, undone.redo).restored == ("a.py",)
    assert state(root) == then


def test_undo_removes_a_new_file_with_its_folders_but_keeps_empty_folders(root: Path, store: Restore) -> None:
    (root / "empty").mkdir()
    was = state(root)

    def act() -> None:
        (root / "x/y").mkdir(parents=True)
        (root / "x/y/z.py").write_text("z")
        (root / "empty/w.py").write_text("w")

    point = turn(store, act, ("x/y/z.py", "empty/w.py"))
    assert undoing.changes(store, point) == (Change("empty/w.py", "created"), Change("x/y/z.py", "created"))
    assert undoing.undo(store, point).restored == ("empty/w.py", "x/y/z.py")
    assert state(root) == was


COMMANDS = {
    "edits": "echo more >> a.py; echo x > pkg/c.py; printf 'a\\nb\\n' > crlf.txt; echo y >> new.txt",
    "deletes": "rm a.py b.py new.txt ln; rm -r pkg",
    "creates": "mkdir -p deep/er; echo 1 > deep/er/file; echo 2 > top; ln -s nowhere dangling",
    "moves": "mv a.py z.py; mv pkg lib",
    "modes": "chmod 600 a.py; chmod -x run.sh; chmod 4755 b.py",
    "links": "ln -sf b.py ln; rm a.py; ln -s b.py a.py; rm new.txt; ln -s /etc new.txt",
    "file to folder": "rm a.py; mkdir a.py; echo 1 > a.py/inner",
    "folder to file": "rm -r pkg; echo 1 > pkg",
    "folder to link": "mv pkg /tmp/ctxe-gone-$$; rm -r /tmp/ctxe-gone-$$; ln -s build pkg",
    "ignored file": "echo SECRET=2 > .env",
    "ignored file deleted": "rm .env",
    "rules deleted": "rm .gitignore",
    "rules grown": "echo 'pkg/' >> .gitignore; echo 'new.txt' >> .gitignore; echo x >> new.txt",
    "truncation": ": > a.py; : > new.txt",
    "in place": "sed -i s/one/1/ a.py run.sh",
    "checkout": "git checkout -q -- pkg/c.py; git checkout -q HEAD -- b.py",
    "clean": "git clean -fdq; git reset -q --hard",
    "odd names": "printf x > \"$(printf 'caf\\351')\"; printf x > 'with\nnewline'; printf x > -dash; printf x > ' sp '",
}


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_a_command_is_undone_to_the_byte(root: Path, store: Restore, name: str) -> None:
    was = state(root)
    point = turn(store, sh(root, COMMANDS[name]))
    then = state(root)
    assert then != was
    undone = undoing.undo(store, point)
    assert undone.conflicts == ()
    assert state(root) == was
    assert undone.redo is not None
    undoing.undo(store, undone.redo)
    assert state(root) == then


def test_a_folder_that_was_moved_goes_back_though_its_files_are_older_than_the_turn(root: Path, store: Restore) -> None:
    was = state(root)
    time.sleep(0.2)  # moving a folder leaves the times of what is in it
    undone = undoing.undo(store, turn(store, sh(root, "mv pkg lib")))
    assert (undone.restored, undone.conflicts) == (("lib/c.py", "pkg/c.py"), ())
    assert state(root) == was


def test_undo_only_reads_from_git(root: Path, store: Restore) -> None:
    (root / ".git/index.lock").write_bytes(b"held by somebody")
    held = {path: path.read_bytes() for path in (root / ".git").rglob("*") if path.is_file()}
    point = turn(store, lambda: (root / "a.py").write_text("x"))
    undoing.undo(store, point)
    assert {path: path.read_bytes() for path in (root / ".git").rglob("*") if path.is_file()} == held


def test_undo_keeps_staged_and_unstaged_changes_apart(root: Path, store: Restore) -> None:
    held = of_git(root)
    point = turn(store, lambda: [(root / name).write_text("changed\n") for name in ("a.py", "b.py", "half.py")])
    undoing.undo(store, point)
    assert of_git(root) == held


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


def test_undo_of_edits_then_commands_restores_the_start_of_the_turn(root: Path, store: Restore) -> None:
    was = state(root)
    point = undoing.cover(store, undoing.take(store), ["a.py", "fresh/f.py"])
    (root / "a.py").write_text("edit one\n")
    (root / "fresh").mkdir()
    (root / "fresh/f.py").write_text("f\n")
    point = undoing.cover_tree(store, point)
    git_shell(root, "echo two >> a.py; echo x > fresh/g.py; mv fresh/f.py f2.py")
    point = undoing.cover(store, point, ["a.py", "b.py"])
    (root / "b.py").write_text("edit two\n")
    point = undoing.finish(store, point)
    assert [change.path for change in undoing.changes(store, point)] == ["a.py", "b.py", "f2.py", "fresh/g.py"]
    undoing.undo(store, point)
    assert state(root) == was


def test_a_turn_without_an_end_after_a_crash_can_be_undone(root: Path, store: Restore) -> None:
    was = state(root)
    point = undoing.cover_tree(store, undoing.take(store, "s", 3, "crash"))
    (root / "a.py").write_text("x")
    again = Restore(store.git, store.folder, time.time)
    found = undoing.latest(again, "s")
    assert found == point
    assert undoing.changes(again, point) == (Change("a.py", "edited"),)
    undoing.undo(again, point)
    assert state(root) == was


def test_turns_are_undone_from_the_newest_on(root: Path, store: Restore) -> None:
    for text in ("one\n", "two\n"):
        turn(store, partial((root / "a.py").write_text, text))
    turn(store, lambda: None)
    for expected in ("one\n", "# a.py\none\ntwo\nthree\n"):
        point = undoing.latest(store, "s")
        assert point is not None
        undoing.undo(store, point)
        assert (root / "a.py").read_text() == expected
    assert undoing.latest(store, "s") is None
    assert undoing.latest(store, "other") is None


def test_a_turn_whose_undo_was_undone_can_be_undone_again(root: Path, store: Restore) -> None:
    turn(store, lambda: (root / "a.py").write_text("one\n"))
    for _ in range(2):
        point = undoing.latest(store, "s")
        assert point is not None
        undone = undoing.undo(store, point)
        assert (undone.restored, undoing.latest(store, "s")) == (("a.py",), None)
        assert undone.redo is not None
        assert undoing.undo(store, undone.redo).restored == ("a.py",)
        assert (root / "a.py").read_text() == "one\n"


def test_undos_are_redone_one_after_another(root: Path, store: Restore) -> None:
    for text in ("one\n", "two\n", "three\n"):
        turn(store, partial((root / "a.py").write_text, text))
    assert undoing.redoable(store, "s") is None
    for _ in range(2):
        point = undoing.latest(store, "s")
        assert point is not None
        undoing.undo(store, point)
    assert (root / "a.py").read_text() == "one\n"
    for expected in ("two\n", "three\n"):
        point = undoing.redoable(store, "s")
        assert point is not None
        assert undoing.undo(store, point).restored == ("a.py",)
        assert (root / "a.py").read_text() == expected
    assert undoing.redoable(store, "s") is None
    point = undoing.latest(store, "s")
    assert point is not None
    undoing.undo(store, point)
    assert (undoing.redoable(store, "s") is None, undoing.redoable(store, "other")) == (False, None)


def test_no_undo_is_redone_over_a_later_turn(root: Path, store: Restore) -> None:
    undoing.undo(store, turn(store, lambda: (root / "a.py").write_text("one\n")))
    turn(store, lambda: None)
    assert undoing.redoable(store, "s") is not None
    turn(store, lambda: (root / "b.py").write_text("later\n"))
    assert undoing.redoable(store, "s") is None


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


CONTENT = st.binary(max_size=40)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    first=st.dictionaries(st.sampled_from("abcd"), CONTENT, min_size=1),
    second=st.dictionaries(st.sampled_from("abcdef"), st.none() | CONTENT, min_size=1),
    mode=st.sampled_from([0o600, 0o644, 0o755, 0o400]),
)
def test_edit_then_undo_is_identity(
    tmp_path_factory: pytest.TempPathFactory, first: dict[str, bytes], second: dict[str, bytes | None], mode: int
) -> None:
    root = tmp_path_factory.mktemp("identity")
    for name, data in first.items():
        (root / name).write_bytes(data)
        (root / name).chmod(mode)
    store = Restore(Git(root, {"PATH": os.environ["PATH"]}), root / ".ctxe/cache/restore", time.time)
    was = state(root)

    def act() -> None:
        # Whether a file changed is judged by its bytes and mode: one that is written anew with the same has not.
        for name, data in second.items():
            if (root / name).exists() and (root / name).read_bytes() == data:
                continue
            (root / name).unlink(missing_ok=True)
            if data is not None:
                (root / name).write_bytes(data)

    for covered in (tuple(second), ()):
        point = turn(store, act, covered)
        then = state(root)
        undone = undoing.undo(store, point)
        assert state(root) == was
        if undone.redo is not None:
            undoing.undo(store, undone.redo)
            assert state(root) == then
            undoing.undo(store, point)
            assert state(root) == was
