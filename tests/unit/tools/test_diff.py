"""Diffs state exactly what changes, and git can apply them."""

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctxe.tools.diff import Hunk, change_counts, hunks, unified
from ctxe.tools.text import split

LINES = st.lists(st.sampled_from(["a\n", "b\n", "c\n", "\n"]), max_size=30)


@given(LINES, LINES)
def test_hunks_turn_old_into_new(old: list[str], new: list[str]) -> None:
    built, at = [], 0
    for hunk in hunks(old, new):
        built += old[at : hunk.a]
        assert len(built) == hunk.c
        built += new[hunk.c : hunk.d]
        at = hunk.b
    assert built + old[at:] == new


def test_a_change_in_the_middle_has_context_around_it() -> None:
    old = "".join(f"{n}\n" for n in range(1, 21))
    new = old.replace("10\n", "ten\nten and a half\n")
    assert hunks(split(old), split(new)) == [Hunk(9, 10, 9, 11)]
    assert change_counts(hunks(split(old), split(new))) == "+2 −1"
    assert unified("d/x", old, new) == (
        "--- a/d/x\n+++ b/d/x\n@@ -7,7 +7,8 @@\n 7\n 8\n 9\n-10\n+ten\n+ten and a half\n 11\n 12\n 13\n"
    )


def test_a_new_file_and_a_missing_final_newline_are_shown() -> None:
    assert unified("x", None, "a\nb") == (
        "--- /dev/null\n+++ b/x\n@@ -0,0 +1,2 @@\n+a\n+b\n\\ No newline at end of file\n"
    )
    assert unified("x", "a", "a\n") == ("--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+a\n")


def test_carriage_returns_show_only_where_they_matter() -> None:
    assert unified("x", "a\r\nb\r\n", "a\r\nc\r\n") == "--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n a\n-b\n+c\n"
    assert unified("x", "a\r\n", "a\n") == "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\r\n+a\n"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("".join(f"{n}\n" for n in range(40)), "".join(f"{n}\n" for n in range(40) if n not in {3, 4, 20, 39})),
        ("a\nb\nc", "a\nb\nc\nd"),
        ("a\n", "z\na\n"),
        ("a\nb\n", ""),
        ("x\r\ny\nz\r\n", "x\r\ny2\nz\n"),
        ("\n" * 20 + "a\n" + "\n" * 20, "\n" * 21 + "a\n" + "\n" * 18),
    ],
)
def test_git_can_apply_the_diff(tmp_path: Path, old: str, new: str) -> None:
    (tmp_path / "x").write_bytes(old.encode())
    patch = unified("x", old, new).encode()
    subprocess.run(["git", "apply", "--whitespace=nowarn", "-"], cwd=tmp_path, input=patch, check=True)
    left = (tmp_path / "x").read_bytes() if (tmp_path / "x").exists() else b""
    assert left == new.encode()


def test_two_large_unlike_files_are_compared_quickly() -> None:
    old, new = [f"a{n}\n" for n in range(50_000)], [f"b{n}\n" for n in range(60_000)]
    assert hunks(["h\n", *old, "t\n"], ["h\n", *new, "t\n"]) == [Hunk(1, 50_001, 1, 60_001)]
