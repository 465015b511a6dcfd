"""Search and replace: exact, refused with line numbers, and no other byte changed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctxe.domain.errors import ToolError
from ctxe.tools.replace import Edit, apply, flatten

LF, CRLF, CR, MIXED = "a\nb\nc\n", "a\r\nb\r\nc\r\n", "a\rb\rc\r", "a\r\nb\nc\r\nd\n"


@pytest.mark.parametrize(
    ("text", "old", "new", "result"),
    [
        (LF, "b", "B", "a\nB\nc\n"),
        (LF, "b\n", "", "a\nc\n"),
        (LF, "c\n", "c", "a\nb\nc"),
        ("a\nb", "b", "b\nc", "a\nb\nc"),
        (CRLF, "a\nb\n", "a\nx\nb\n", "a\r\nx\r\nb\r\nc\r\n"),
        (CRLF, "a\r\nb", "x", "x\r\nc\r\n"),
        (CRLF, "b", "b\nbb", "a\r\nb\r\nbb\r\nc\r\n"),
        (CRLF, "c\n", "c", "a\r\nb\r\nc"),
        (CR, "a\nb", "a\nx\nb", "a\rx\rb\rc\r"),
        (MIXED, "a\nb\nc", "a\nx\nc", "a\r\nx\nc\r\nd\n"),
        (MIXED, "b\nc\nd", "b\nc\nx\nd", "a\r\nb\nc\r\nx\r\nd\n"),
        (MIXED, "c\nd\n", "c\nd\ne\n", "a\r\nb\nc\r\nd\ne\n"),
        (MIXED, "d", "d\ne", "a\r\nb\nc\r\nd\ne\n"),
        ("a\n\n\nb\n", "\n\n\n", "\n", "a\nb\n"),
        ("x\r\n", "\n", "\n\n", "x\r\n\r\n"),
        ("tab\tand  spaces \n", "tab\tand  spaces ", "t", "t\n"),
        ("é→😀\n", "→😀", "←", "é←\n"),
        ("a\rb\nc\n", "a\rb", "ab", "ab\nc\n"),
    ],
)
def test_only_the_replaced_bytes_change(text: str, old: str, new: str, result: str) -> None:
    assert apply(text, [Edit(old, new)], "f") == result


def test_replace_all_and_several_edits_are_applied_in_order() -> None:
    assert apply("aXbXc", [Edit("X", "YX", everywhere=True)], "f") == "aYXbYXc"
    assert apply("aaa\r\naaa", [Edit("aa", "b", everywhere=True)], "f") == "ba\r\nba"
    assert apply("one two", [Edit("one", "1"), Edit("1 two", "12")], "f") == "12"


@pytest.mark.parametrize(
    ("text", "edits", "said"),
    [
        ("a\n", [Edit("", "x")], "old is empty; use write_file for a whole file, or give the line before the place"),
        ("a\n", [Edit("a\r\n", "a\n")], "old and new are the same text"),
        (
            "x\na\nx\n",
            [Edit("x", "y")],
            "old occurs 2 times in f: lines 1, 3; add lines around it until it is one place, or set all",
        ),
        ("zzz\n", [Edit("never here", "y")], "old is not in f, nor anything like it; read_file shows what is there"),
        (
            "def g():\n\treturn 1\n",
            [Edit("def g():\n    return 1", "x")],
            "old is not in f; nearest is lines 1-2 (it is indented with tabs):\n1\tdef g():\n2\t\treturn 1",
        ),
        (
            "a = 1\n\nprint(value)\n",
            [Edit("print(valu)", "x")],
            "old is not in f; nearest is line 3 (91 % alike):\n3\tprint(value)",
        ),
        (
            "a\u200bb = 1\n",
            [Edit("ab = 1", "x")],
            "old is not in f; nearest is line 1 (it holds invisible characters there; give less of the line, or rewrite"
            " it by run_command):\n1\ta\u200bb = 1",
        ),
        (
            "new text here\n",
            [Edit("old text", "new text here")],
            "old is not in f, but new already is, at line 1; nothing is left to do there",
        ),
        (
            "a\nb\n",
            [Edit("a", "c"), Edit("a", "d")],
            "edit 2 of 2: old is not in f, nor anything like it; read_file shows what is there; nothing was changed",
        ),
    ],
)
def test_missing_and_ambiguous_text_is_refused_with_a_reason(text: str, edits: list[Edit], said: str) -> None:
    with pytest.raises(ToolError) as caught:
        apply(text, edits, "f")
    assert str(caught.value) == said


def test_overlapping_matches_count_as_two_places() -> None:
    with pytest.raises(ToolError, match="occurs 2 times in f: lines 1, 2; add"):
        apply("}\r\n}\r\n}\r\n", [Edit("}\n}", "x")], "f")
    assert apply("}\n}\n}\n", [Edit("}\n}", "x", everywhere=True)], "f") == "x\n}\n"


def test_up_to_a_dozen_matching_places_are_named() -> None:
    with pytest.raises(ToolError, match=r"occurs 30 times in f: lines 1, 2, .* 12, …; add"):
        apply("x\n" * 30, [Edit("x", "y")], "f")


TEXT = st.text(alphabet="ab\n\r ", max_size=40)


@given(TEXT)
def test_positions_in_normalised_text_map_back_to_the_original(text: str) -> None:
    flat = flatten(text)
    for at, char in enumerate(flat.text):
        origin = flat.origin(at)
        assert text[origin] == char or (char == "\n" and text[origin] == "\r")
    assert flat.origin(len(flat.text)) == len(text)


PART = st.text(alphabet="ab\n ", max_size=15)
ENDS = st.lists(st.sampled_from(["\n", "\r\n"]), min_size=60, max_size=60)


@given(PART, PART, PART, PART, ENDS)
def test_surrounding_text_is_kept_to_the_byte(head: str, old: str, new: str, tail: str, ends: list[str]) -> None:
    given_ends = iter(ends)
    there = ["".join(next(given_ends) if c == "\n" else c for c in part) for part in (head, f"<{old}>", tail)]
    result = apply("".join(there), [Edit(f"<{old}>", new)], "f")
    assert result.startswith(there[0])
    assert result.endswith(there[2])
    middle = result[len(there[0]) : len(result) - len(there[2])]
    assert middle.replace("\r\n", "\n") == new


@given(PART, ENDS, st.integers(0, 14), st.sampled_from(["z", "z\nz", ""]))
def test_unchanged_lines_keep_their_line_endings(old: str, ends: list[str], at: int, extra: str) -> None:
    given_ends = iter(ends)
    text = "".join(next(given_ends) if c == "\n" else c for c in f"<{old}>\n")
    spot = min(at, len(old))
    new = f"<{old[:spot]}{extra}{old[spot:]}>"
    if not extra:
        return
    result = apply(text, [Edit(f"<{old}>", new)], "f")
    assert result.replace("\r\n", "\n") == new + "\n"
    assert result.count("\r\n") >= text.count("\r\n")
