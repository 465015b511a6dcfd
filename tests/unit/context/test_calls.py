"""Arguments of any tool are split into queries and contents, and shortened without losing their shape."""

from __future__ import annotations

import json

import pytest

from ctxe.context.calls import CallArguments, parse_arguments, shorten_arguments
from tests.support.counting import count_words

PATCH = "*** Begin Patch\n*** Update File: a.py\n-old\n+new\n*** Add File: b.py\n+more\n"


def test_arguments_are_split_into_queries_and_contents_added_or_removed() -> None:
    given = {
        "path": "a.py",
        "old": "x = 1",
        "new": "x = 2",
        "note": "why",
        "text": "two\nlines",
        "deep": [{"line": "3"}],
    }
    assert parse_arguments(json.dumps(given)) == CallArguments(
        {"path": "a.py", "note": "why", "line": "3"}, ("x = 2", "two\nlines"), ("x = 1",)
    )


def test_duplicate_argument_names_keep_both_values_and_long_ones_are_contents() -> None:
    assert parse_arguments(json.dumps([{"path": "a"}, {"path": "b"}])).values == {"path": "a", "path 1": "b"}
    assert parse_arguments(json.dumps({"note": "n" * 200})).values == {"note": "n" * 200}
    assert parse_arguments(json.dumps({"note": "n" * 201})).added == ("n" * 201,)


def test_a_patch_is_split_by_file() -> None:
    asked = parse_arguments(json.dumps({"input": PATCH}))
    assert asked.patches == (("a.py", "\n-old\n+new\n"), ("b.py", "\n+more\n"))
    assert asked.is_edit


@pytest.mark.parametrize("text", ["not json", '{"path": ', "[" * 100_000])
def test_arguments_that_are_not_json_are_contents(text: str) -> None:
    assert parse_arguments(text) == CallArguments(added=(text,))
    assert parse_arguments("") == CallArguments()


@pytest.mark.parametrize("depth", [10, 300, 480, 600, 800, 950, 5_000])
def test_deeply_nested_arguments_are_read(depth: int) -> None:
    long = " ".join(["word"] * 2_000)
    text = '{"path": "a.py", "x": ' + "[" * depth + json.dumps(long) + "]" * depth + "}"
    asked = parse_arguments(text)
    assert asked.added in ((long,), (text,))
    short = shorten_arguments(text, 300, count_words)
    assert count_words(short) <= 300
    assert isinstance(json.loads(short), dict)


def test_only_the_longest_values_are_shortened_and_the_shape_stays() -> None:
    given = {"path": "a.py", "text": "word " * 1_000, "list": ["short", {"n": 3}]}
    short = json.loads(shorten_arguments(json.dumps(given), 200, count_words))
    assert (short["path"], short["list"]) == ("a.py", ["short", {"n": 3}])
    head, _, note = short["text"].partition(" [")
    assert ("word " * 1_000).startswith(head)
    assert note == f"{5_000 - len(head):,} characters left out]"


def test_short_arguments_stay_unchanged() -> None:
    text = '{"b":  "x", "a": 1}'
    assert shorten_arguments(text, 100, count_words) == text
    assert shorten_arguments(text, 0, count_words) == text
