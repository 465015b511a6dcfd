"""Numbered listings lose their padding and stay readable line by line."""

from __future__ import annotations

from ctxe.context.listing import strip_listings, strip_padding
from ctxe.context.trim import trim


def listing(sign: str, first: int = 8) -> str:
    """Five numbered lines, the third empty, as ``cat -n`` sets them."""
    code = ["def main():", "    run()", "", "    stop()", "\tend"]
    return "\n".join(f"{number:6}{sign}{line}" for number, line in enumerate(code, first))


def test_a_listing_loses_its_padding_and_the_numbers_of_empty_lines() -> None:
    for sign in ("→", "\t"):
        rows = [f"8{sign}def main():", f"9{sign}    run()", "", f"11{sign}    stop()", f"12{sign}\tend"]
        assert strip_listings(listing(sign)) == "\n".join(rows)


def test_text_around_a_listing_is_unchanged() -> None:
    around = f"  The file has been read:\n{listing('→')}\n\n  5→ alone\n  <note>\n"
    told = strip_listings(listing("→"))
    assert strip_listings(around) == f"  The file has been read:\n{told}\n\n  5→ alone\n  <note>\n"


def test_lines_whose_numbers_do_not_rise_by_one_are_data() -> None:
    for data in (
        "   1\ta\n   3\tb\n   5\tc\n   7\td",
        "   1\ta\n   2\tb\n   3\tc",
        "  1: a\n  2: b\n  3: c\n  4: d",
        "   1\ta\n  2\tb\n   3\tc\n  4\td",
        "",
    ):
        assert strip_listings(data) == data


def test_two_adjacent_listings_are_told_apart() -> None:
    first, second = listing("→"), listing("→", 100)
    assert strip_listings(f"{first}\n{second}") == f"{strip_listings(first)}\n{strip_listings(second)}"


def test_a_line_of_a_listing_stands_alone_without_padding_too() -> None:
    assert [strip_padding(line) for line in ("    12→  x", "    12\tx", "    12 x", "    x", "12→x")] == [
        "12→  x",
        "12\tx",
        "    12 x",
        "    x",
        "12→x",
    ]


def test_a_listing_of_an_external_tool_is_compacted_without_a_handle() -> None:
    done = trim(listing("→"), "read", 1_000, lambda text: len(text.split()))
    assert (done.text, done.handle) == (strip_listings(listing("→")), "")
