"""What successive edits of a file change together."""

from __future__ import annotations

import time

import pytest

from ctxe.knowledge.failures.changes import joined


@pytest.mark.parametrize(
    ("earlier", "later", "together"),
    [
        ("@@ -3 +3 @@\n-a\n+b\n", "@@ -3 +3 @@\n-b\n+c\n", "@@ -3 @@\n-a\n+c"),
        ("@@ -3 +3 @@\n-a\n+b\n+c\n+d\n", "@@ -4 +4 @@\n-c\n+e\n+f\n", "@@ -3 @@\n-a\n+b\n+e\n+f\n+d"),
        ("@@ -3 +3 @@\n-a\n+b\n", "@@ -3 +3 @@\n-b\n-x\n+c\n", "@@ -3 @@\n-a\n-x\n+c"),
        ("@@ -3 +3 @@\n-a\n+b\n", "@@ -9 +9 @@\n-y\n+z\n", "@@ -9 @@\n-y\n+z\n@@ -3 @@\n-a\n+b"),
        ("@@ -3 +3 @@\n-a\n+}\n", "@@ -9 +9 @@\n-}\n+z\n", "@@ -9 @@\n-}\n+z\n@@ -3 @@\n-a\n+}"),
        ("@@ -3 +3 @@\n-a\n+b\n", "@@ -3 +3 @@\n-b\n+a\n", ""),
        ("@@ -0,0 +1 @@\n+b\n+c\n", "@@ -2 +1,0 @@\n-c\n", "@@ -0 @@\n+b"),
        ("", "@@ -3 +3 @@\n-b\n+a\n", "@@ -3 +3 @@\n-b\n+a\n"),
        ("@@ -3 +3 @@\n-b\n+a\n", "", "@@ -3 +3 @@\n-b\n+a\n"),
    ],
)
def test_two_edits_of_a_file_are_told_as_one(earlier: str, later: str, together: str) -> None:
    assert joined(earlier, later) == together


def test_a_line_that_one_edit_moves_is_told_in_both_places() -> None:
    moved = "@@ -2,0 +2 @@\n+here\n@@ -9 +9,0 @@\n-here\n"
    assert joined("@@ -5 +5 @@\n-a\n+b\n", moved) == "@@ -2 @@\n+here\n@@ -9 @@\n-here\n@@ -5 @@\n-a\n+b"


def test_edits_of_a_long_file_are_joined_quickly() -> None:
    first, second = (
        "@@ -1 +1 @@\n" + "".join(f"-line {n} {old}\n+line {n} {new}\n" for n in range(20_000))
        for old, new in ("ab", "bc")
    )
    began = time.process_time()
    assert "+line 7 c" in joined(first, second)
    assert time.process_time() - began < 1.0
