"""Long pages keep the parts relevant to the question, an outline of the rest, and a handle for each part."""

from __future__ import annotations

from ctxe.context.budget import birth_limit
from ctxe.context.headings import HeadedPart, part_under, parts_of
from ctxe.context.known_lines import VisibleLines
from ctxe.context.tool_output import shown_output
from ctxe.context.trim import handle_of
from tests.support.counting import count_words

WINDOW = 48_000


def filler(name: str) -> str:
    return "\n".join(f"{name} says {n} of nothing at all here" for n in range(150))


LONG = "\n".join(
    [
        '<page from="https://x.org/">',
        "# Manual",
        "",
        "How it begins.",
        "## Install",
        filler("install"),
        "## Retries",
        "The retry policy waits twice as long each time.",
        "### Limits of retries",
        "At most five retries are made.",
        "## Colours",
        filler("colours"),
        "```",
        "## no heading",
        "```",
        "</page>",
    ]
)


def told(about: str) -> str:
    done = shown_output(LONG, "page", WINDOW // 8, count_words, VisibleLines(), about=about)
    assert done.handle == handle_of(LONG)
    assert count_words(done.text) <= birth_limit("page", WINDOW // 8)
    return done.text


def test_a_page_is_split_at_headings_but_not_inside_code() -> None:
    assert parts_of(["a", "# B #", "c", "~~~", "# d", "~~~", "#e", "## F"]) == [
        HeadedPart(0, 1),
        HeadedPart(1, 7, 1, "B"),
        HeadedPart(7, 8, 2, "F"),
    ]
    assert parts_of([]) == []


def test_the_part_that_answers_the_question_is_whole_and_the_rest_an_outline() -> None:
    handle = handle_of(LONG)
    assert told("how many retries?").split("\n") == [
        '<page from="https://x.org/">',
        "# Manual",
        f"[2 lines left out; recall {handle}, or {handle}#HEADING for a part]",
        "## Install",
        "[150 lines left out]",
        "## Retries",
        "The retry policy waits twice as long each time.",
        "### Limits of retries",
        "At most five retries are made.",
        "## Colours",
        "[153 lines left out]",
        "</page>",
    ]


def test_a_page_without_a_matching_part_is_shown_from_its_start() -> None:
    for about in ("", "zebra"):
        lines = told(about).split("\n")
        assert lines[:6] == [*LONG.split("\n")[:6]]
        assert lines[-1] == "</page>"
        assert "## Retries" in lines
        assert "## Colours" in lines


def test_a_page_that_fits_is_unchanged() -> None:
    assert shown_output("# A\nb", "page", WINDOW, count_words, VisibleLines(), about="b").text == "# A\nb"


def test_the_part_under_a_heading_comes_with_all_below_it() -> None:
    limits = "### Limits of retries\nAt most five retries are made."
    retries = f"## Retries\nThe retry policy waits twice as long each time.\n{limits}"
    assert part_under(LONG, "Retries") == retries
    assert part_under(LONG, "## retries") == retries
    assert part_under(LONG, "limits-of-retries") == "### Limits of retries\nAt most five retries are made."
    assert part_under(LONG, "retrying limit") == "### Limits of retries\nAt most five retries are made."
    assert part_under(LONG, "zebra") == ""
    assert part_under(LONG, "no heading") == ""
