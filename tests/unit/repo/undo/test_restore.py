"""Undo and redo bring back bytes, modes and times, in the order of the turns."""

import os
import time
from functools import partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ctxe.repo.git import Git
from ctxe.repo.undo import restore as undoing
from ctxe.repo.undo.restore import Change, Restore
from tests.unit.repo.undo.trees import git, git_shell, sh, state, turn


def of_git(root: Path) -> tuple[str, ...]:
    return (
        git(root, "status", "--porcelain=v2"),
        git(root, "diff"),
        git(root, "diff", "--cached"),
        git(root, "for-each-ref"),
        git(root, "stash", "list"),
    )


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
