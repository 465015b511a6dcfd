"""Which files there are, with git and without, and how their bytes become text."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest

from ctxe.repo.files import decode, list_columns, list_files, minified, read_text, walk
from ctxe.repo.git import Git
from tests.repositories import git


def put(root: Path, **files: str) -> None:
    for name, text in files.items():
        path = root / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def names(root: Path) -> list[str]:
    return [listed.path for listed in list_files(Git(root, os.environ))]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    put(tmp_path, a_dot_py="a", sub__b_dot_py="b", sub__out_dot_log="x", _dot_gitignore="*.log\nbuild/\n", build__c="c")
    return tmp_path


def test_listing_with_and_without_git_gives_the_same_files(tree: Path) -> None:
    without = names(tree)
    git(tree, "init", "-q")
    git(tree, "add", "a.py")
    assert names(tree) == without == [".gitignore", "a.py", "sub/b.py"]


def test_generated_folders_are_listed_only_when_git_tracks_them(tree: Path) -> None:
    put(tree, node_modules__dep__index_dot_js="x", sub___dot_venv__lib__d_dot_py="x")
    (tree / "env/lib/python3.12/site-packages/dep").mkdir(parents=True)
    (tree / "env/lib/python3.12/site-packages/dep/a.py").write_text("x")
    assert names(tree) == [".gitignore", "a.py", "sub/b.py"]
    git(tree, "init", "-q")
    git(tree, "add", "a.py")
    assert names(tree) == [".gitignore", "a.py", "sub/b.py"]
    git(tree, "add", "node_modules")
    assert names(tree) == [".gitignore", "a.py", "node_modules/dep/index.js", "sub/b.py"]


def test_listed_sizes_and_times_are_those_of_the_file(tree: Path) -> None:
    listed = next(one for one in list_files(Git(tree, os.environ)) if one.path == "a.py")
    seen = (tree / "a.py").stat()
    assert (listed.size, listed.mtime) == (1, seen.st_mtime_ns)


def test_a_tracked_file_that_is_gone_is_not_listed(tree: Path) -> None:
    git(tree, "init", "-q")
    git(tree, "add", ".")
    (tree / "a.py").unlink()
    assert names(tree) == [".gitignore", "sub/b.py"]


def test_paths_expected_from_the_index_do_not_change_the_listing(tree: Path) -> None:
    git(tree, "init", "-q")
    git(tree, "add", ".")
    (tree / "link").symlink_to("a.py")
    asked = Git(tree, os.environ)
    plain = list_columns(asked)
    assert plain.paths == [".gitignore", "a.py", "sub/b.py"]
    for expected in (plain.paths, ["a.py"], [*plain.paths, "gone.py"], ["build/c", *plain.paths], ["link"]):
        assert list_columns(asked, expected=expected) == plain


def test_ctxeignore_hides_tracked_files(tree: Path) -> None:
    git(tree, "init", "-q")
    git(tree, "add", ".")
    (tree / ".ctxeignore").write_text("# secret\nsub/\n")
    assert names(tree) == [".ctxeignore", ".gitignore", "a.py"]


def test_an_invalid_ignore_pattern_does_not_disable_the_others(tree: Path) -> None:
    (tree / ".ctxeignore").write_text("!\nsub/\n")
    assert names(tree) == [".ctxeignore", ".gitignore", "a.py"]


def test_links_loops_and_fifos_are_not_listed(tree: Path) -> None:
    (tree / "loop").symlink_to(tree, target_is_directory=True)
    (tree / "link.py").symlink_to("a.py")
    os.mkfifo(tree / "pipe.py")
    assert names(tree) == [".gitignore", "a.py", "sub/b.py"]


def test_nothing_is_read_behind_a_link_where_git_still_lists_files(
    tree: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    git(tree, "init", "-q")
    git(tree, "add", ".")
    outside = tmp_path_factory.mktemp("outside")
    (outside / "b.py").write_text("canary")
    shutil.rmtree(tree / "sub")
    (tree / "sub").symlink_to(outside)
    assert "sub/b.py" in names(tree)
    assert read_text(tree, "sub/b.py") is None


@pytest.mark.parametrize("name", [".gitignore", ".git/packed-refs", ".git/info/exclude", ".git/index"])
def test_git_is_not_run_where_it_would_block_on_a_pipe(tree: Path, name: str) -> None:
    git(tree, "init", "-q")
    (tree / name).unlink(missing_ok=True)
    os.mkfifo(tree / name)
    began = time.monotonic()
    assert {"a.py", "sub/b.py"} <= set(names(tree))
    assert Git(tree, os.environ).refusal() == f"{name} is a named pipe, on which git would wait"
    assert time.monotonic() - began < 20


def test_our_own_folder_is_never_listed(tree: Path) -> None:
    put(tree, _dot_ctxe__cache__x_dot_py="x")
    assert names(tree) == [".gitignore", "a.py", "sub/b.py"]


def test_nested_ignore_files_count_below_them_only(tree: Path) -> None:
    put(tree, sub___dot_gitignore="a.py\n", sub__a_dot_py="hidden")
    assert sorted(walk(tree)) == [".gitignore", "a.py", "sub/.gitignore", "sub/b.py"]


def test_a_byte_order_mark_does_not_hide_the_first_ignore_pattern(tree: Path) -> None:
    (tree / ".ctxeignore").write_bytes(b"\xef\xbb\xbfsub/\r\n.gitignore\r\n")
    assert names(tree) == [".ctxeignore", "a.py"]


def test_a_repository_inside_the_tree_is_not_walked(tree: Path) -> None:
    put(tree, other__c_dot_py="c")
    (tree / "other" / ".git").mkdir()
    assert names(tree) == [".gitignore", "a.py", "sub/b.py"]


def test_a_submodule_is_left_out(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = tmp_path_factory.mktemp("other")
    put(other, c_dot_py="c")
    git(other, "init", "-q")
    git(other, "add", ".")
    git(other, "commit", "-qm", "c")
    git(tree, "init", "-q")
    git(tree, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(other), "mod")
    assert names(tree) == [".gitignore", ".gitmodules", "a.py", "sub/b.py"]


def test_names_that_are_not_utf8_are_listed_and_read(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"caf\xe9.py")).write_text("x = 1\n")
    git(tmp_path, "init", "-q")
    [name] = names(tmp_path)
    assert os.fsencode(name) == b"caf\xe9.py"
    assert read_text(tmp_path, name) == "x = 1\n"


def test_a_bare_or_broken_repository_falls_back_to_the_walk(tree: Path) -> None:
    (tree / ".git").write_text("gitdir: /nowhere\n")
    assert names(tree) == [".gitignore", "a.py", "sub/b.py"]


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"a\r\nb\rc\n", "a\nb\nc\n"),
        (b"\xef\xbb\xbfx", "x"),
        ("é".encode("utf-16"), "é"),
        (b"caf\xe9 \x93a\x94", "café \u201ca\u201d"),
        (b"\x81caf\xe9", "\x81café"),
        ("é".encode("utf-16")[:-1], "\ufffd"),
        (b"\x7fELF\0\0", None),
        (b"", ""),
    ],
)
def test_file_bytes_are_decoded_to_text(data: bytes, text: str | None) -> None:
    assert decode(data) == text


def test_unreadable_paths_read_as_none(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "big").write_bytes(b"x" * 100)
    (tmp_path / "link").symlink_to("big")
    assert [read_text(tmp_path, name, 50) for name in ("pipe", "big", "gone", "link", ".")] == [None] * 5


def test_minified_text_is_recognised_by_its_line_lengths() -> None:
    assert minified("x" * 5000)
    assert not minified("a line of code\n" * 500)
    assert not minified("x" * 500)


def test_a_file_name_with_a_line_break_is_not_listed(tree: Path) -> None:
    for name in ("b\nobey.py", "c\x1b[31m.py", "née \u65e5.py"):
        (tree / name).write_text("x = 1\n")
    without = names(tree)
    git(tree, "init", "-q")
    git(tree, "add", ".")
    assert names(tree) == without == [".gitignore", "a.py", "née \u65e5.py", "sub/b.py"]
