"""Drawn text is free of foreign control sequences and fits its width."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from ctxe.terminal import figures
from ctxe.terminal.style import cells, clip, fold, line, lines, paint, width, wrap

ANYTHING = st.text(st.characters(codec=None, exclude_categories=()), max_size=60)
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2028\u2029\ud800-\udfff]")


def text(spans: tuple[tuple[str, str], ...]) -> str:
    return "".join(piece for piece, _ in spans)


@given(st.lists(st.tuples(ANYTHING, st.sampled_from(["", "bad", "dim"]))))
def test_text_from_outside_never_becomes_a_control_sequence(spans: list[tuple[str, str]]) -> None:
    painted = paint(tuple(spans), color=True)
    assert not CONTROL.search(re.sub(r"\x1b\[(?:31|2|0)m", "", painted))
    assert not CONTROL.search(paint(tuple(spans), color=False))
    assert not CONTROL.search(text(line(*spans)))


@given(ANYTHING, st.integers(0, 40))
def test_clipped_lines_fit(words: str, room: int) -> None:
    assert width(clip(line(words), room)) <= room


@given(ANYTHING, st.integers(2, 40))
def test_wrapped_lines_fit_and_lose_nothing(words: str, room: int) -> None:
    whole = line(words)
    rows = wrap(whole, room)
    assert all(width(row) <= room for row in rows)
    assert "".join(text(row) for row in rows) == text(whole)


@given(ANYTHING, st.integers(2, 40), st.sampled_from(["", " ", "  "]))
def test_folded_lines_fit_and_lose_only_blanks(words: str, room: int, indent: str) -> None:
    whole = line(words)
    rows = fold(whole, room, indent)
    assert all(width(row) <= room for row in rows)
    assert "".join("".join(text(row).split()) for row in rows) == "".join(text(whole).split())


def test_folding_breaks_between_words_and_indents() -> None:
    assert [text(row) for row in fold(line("one two three four"), 9, "  ")] == ["one two", "  three", "  four"]
    assert [text(row) for row in fold(line("abcdefghij"), 4)] == ["abcd", "efgh", "ij"]


def test_wide_and_combining_letters_are_measured() -> None:
    assert [cells(word) for word in ("abc", "日本", "e\u0301", "👍", "⚠\ufe0f")] == [3, 4, 1, 2, 2]
    assert text(clip(line("日本語"), 5)) == "日本…"
    assert text(clip(line("日本語"), 4)) == "日…"
    assert text(clip(line("abcdef"), 4, unicode=False)) == "abc~"


def test_colours_come_from_the_palette_only() -> None:
    assert paint(line(("no", "bad"), " ", ("dim", "dim")), color=True) == "\x1b[31mno\x1b[0m \x1b[2mdim\x1b[0m"
    assert paint(line(("no", "bad")), color=False) == "no"


def test_text_from_outside_is_split_into_lines() -> None:
    assert [text(row) for row in lines("a\tb\r\n\x1b[31mred\x1b[0m\n\nlast\n")] == ["a    b", "red", "", "last"]


def test_line_breaks_inside_one_line_become_spaces() -> None:
    assert text(line("one \r\n two\u2028three\x0bfour")) == "one two three four"


def test_sizes_have_three_digits_and_a_letter() -> None:
    values = (0, 7, 950, 999.6, 1_000, 12_449, 99_960, 200_000, 999_499, 999_500, 1_050_000, 12_300_000, 5e9)
    assert [figures.size(value) for value in values] == [
        "0", "7", "950", "1000", "1k", "12.4k", "100k", "200k", "999k", "1M", "1.05M", "12.3M", "5G",
    ]  # fmt: skip
    assert [figures.data(value) for value in (950, 12_400, 3_100_000)] == ["950 B", "12.4 kB", "3.1 MB"]


def test_durations_are_formatted_by_magnitude() -> None:
    values = (0, 0.04, 0.0996, 1.24, 9.96, 48.4, 59.6, 185, 3_599.6, 7_800)
    assert [figures.seconds(value) for value in values] == [
        "0ms", "40ms", "0.1s", "1.2s", "10s", "48s", "1m00s", "3m05s", "1h00m", "2h10m",
    ]  # fmt: skip


def test_money_and_shares_never_round_to_nothing() -> None:
    assert [figures.money(value) for value in (0, 0.00001, 0.0123, 0.99999, 1.5, 1234.5)] == [
        "$0", "<$0.0001", "$0.0123", "$1.0000", "$1.50", "$1,234.50",
    ]  # fmt: skip
    shares = [figures.percent(*pair) for pair in ((0, 10), (1, 1000), (1, 3), (999, 1000), (5, 5), (3, 2), (1, 0))]
    assert shares == ["0%", "<1%", "33%", "99%", "100%", "150%", "0%"]


def test_bars_fill_exactly_their_columns() -> None:
    assert figures.bar(0, 10, 4) == ("", "░░░░")
    assert figures.bar(1, 1_000, 4) == ("█", "░░░")
    assert figures.bar(999, 1_000, 4) == ("███", "░")
    assert figures.bar(10, 10, 4, unicode=False) == ("####", "")
    assert figures.bar(11, 10, 1) == ("█", "")
    assert figures.bar(1, 10, 0) == ("", "")


def test_ages_are_formatted_by_magnitude() -> None:
    now = 1_800_000_000.0
    ages = [figures.age(now - gone, now) for gone in (-5, 59, 60, 7_200, 3 * 86_400, 21 * 86_400, 200 * 86_400)]
    assert ages == ["now", "now", "1m", "2h", "3d", "3w", "2026-06-29"]
    assert (figures.plural(1, "file"), figures.plural(2_000, "entry", "entries")) == ("1 file", "2,000 entries")
