"""Path patterns match what a plain reading of them matches, and many stars take no longer than few."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ctxe.knowledge.globs import matches

SEGMENTS = st.lists(st.sampled_from(["a", "b", "*", "?", "[!a]"]), min_size=1, max_size=5).map("".join)
GLOBS = st.lists(SEGMENTS.filter(lambda one: "**" not in one) | st.just("**"), min_size=2, max_size=6).map("/".join)
PATHS = st.lists(st.text("ab", min_size=1, max_size=4), min_size=1, max_size=6).map("/".join)


def plain(glob: str, path: str) -> bool:
    """The same, one sign after another, every way tried."""
    if glob == "**" or not glob:
        return bool(glob) or not path
    if glob.startswith("**/"):
        rest = path.partition("/")
        return plain(glob[3:], path) or (bool(rest[1]) and plain(glob, rest[2]))
    if glob[0] == "*":
        return plain(glob[1:], path) or (path[:1] not in ("", "/") and plain(glob, path[1:]))
    if glob.startswith("[!a]"):
        return path[:1] not in ("", "a", "/") and plain(glob[4:], path[1:])
    return (path[:1] == glob[0] or (glob[0] == "?" and path[:1] not in ("", "/"))) and plain(glob[1:], path[1:])


@settings(max_examples=1500, deadline=None)
@given(GLOBS, PATHS)
def test_a_pattern_matches_like_a_plain_reference_matcher(glob: str, path: str) -> None:
    assert matches(path, [glob]) is plain(glob, path)


@settings(max_examples=200, deadline=None)
@given(st.lists(SEGMENTS.filter(lambda one: "**" not in one), min_size=1, max_size=4), PATHS)
def test_braces_stand_for_each_of_their_parts(parts: list[str], path: str) -> None:
    assert matches(path, [f"x/{{{','.join(parts)}}}"]) is any(matches(path, [f"x/{part}"]) for part in parts)


@pytest.mark.parametrize(
    ("glob", "path"),
    [
        ("*a" * 80 + "b", "a" * 255),
        ("**/" * 100 + "x", "a/" * 500 + "y"),
        ("**/*a*b/" * 40 + "c", "ab/" * 200 + "b"),
        ("a**b" * 60 + "c", "ab" * 1000),
        ("{a,b}" * 70, "a" * 70),
    ],
)
def test_a_pattern_of_many_stars_fails_quickly(glob: str, path: str) -> None:
    begun = time.perf_counter()
    assert not matches(path, [glob])
    assert time.perf_counter() - begun < 1.0
