"""Markdown on the screen: finished blocks never change, nothing is lost, fetched, or passed through raw."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ctxe.terminal import markdown
from ctxe.terminal.style import cells

SAMPLE = """\
# Title
Some **bold** and `code` and a [link](https://e.org/x), <https://a.b/c>, ![picture](http://x/y.png).

- item one
  1. nested
  2. second
     ```python
     def f(a: int) -> str:
         return "x" * a  # comment
     ```
- three

> quoted *words*

| name | number |
|------|-------:|
| one  | 3      |

---

```unknown
plain text
```
Last <b>html</b> ~~gone~~.
"""
DRAWN = """\
Title

Some bold and code and a link (https://e.org/x), https://a.b/c, [image:
picture] (http://x/y.png).

 • item one
    1 nested
    2 second
        def f(a: int) -> str:
            return "x" * a  # comment
 • three

▌ quoted words

name   number
─────────────
one         3

────────────────────────────────────────────────────────────────────────

  plain text

Last <b>html</b> gone."""


def test_a_whole_document_is_drawn() -> None:
    rows = [row.rstrip() for row in markdown.render(SAMPLE, 72, color=False, unicode=True)]
    assert "\n".join(rows) == DRAWN


def test_markdown_uses_only_the_sixteen_terminal_colours() -> None:
    drawn = "\n".join(markdown.render(SAMPLE, 72, color=True, unicode=True))
    codes = {int(code) for run in re.findall(r"\x1b\[([0-9;]*)m", drawn) for code in run.split(";") if code}
    assert codes <= {0, 1, 2, 3, 4, 9, 49, *range(30, 38), *range(90, 98)}
    assert re.sub(r"\x1b\[[0-9;]*m", "", drawn).split() == DRAWN.split()


def test_markdown_ornaments_are_ascii_when_asked_for() -> None:
    assert "\n".join(markdown.render(SAMPLE, 72, color=False, unicode=False)).isascii()


@pytest.mark.parametrize("columns", [1, 2, 10, 24, 40, 300])
def test_every_word_is_shown_at_every_width(columns: int) -> None:
    rows = markdown.render(SAMPLE, columns, color=False, unicode=True)
    assert max(cells(row) for row in rows) <= columns
    drawn = "".join("".join(rows).split())
    words = ("Title", "bold", "https://e.org/x", "http://x/y.png", "nested", "comment", "quoted", "number", "plain")
    assert [word for word in words if word not in drawn] == []


def test_a_table_too_wide_for_the_window_becomes_a_list() -> None:
    wide = "|" + "|".join(f"head{n}" for n in range(9)) + "|\n" + "|-" * 9 + "|\n|" + "|".join("abcdef" * 9) + "|\n"
    drawn = markdown.render(wide, 60, color=False, unicode=True)
    assert drawn[:3] == ["head0 a", "head1 b", "head2 c"]


def test_a_table_that_would_break_words_becomes_a_list_with_a_gap_between_its_rows() -> None:
    text = (
        "| Source | Where | Wins over |\n|---|---|---|\n| command line | `src/click/parser.py:312` | everything |\n"
        "| environment | `Parameter` | default map |\n"
    )
    assert markdown.render(text, 34, color=False, unicode=True) == [
        "Source command line",
        "Where src/click/parser.py:312",
        "Wins over everything",
        "",
        "Source environment",
        "Where Parameter",
        "Wins over default map",
    ]
    assert [row.split() for row in markdown.render(text, 44, color=False, unicode=True)[2:4]] == [
        ["command", "line", "src/click/parse", "everything"],
        ["r.py:312"],
    ]


def test_a_block_is_finished_when_the_next_begins() -> None:
    assert markdown.split("one\n") == ("", "one\n")
    assert markdown.split("one\n\ntw") == ("one\n\n", "tw")
    assert markdown.split("- a\n\n  more\n\n# T") == ("- a\n\n  more\n\n", "# T")
    assert markdown.split("```\na\n\nb\n") == ("", "```\na\n\nb\n")
    assert markdown.split("one\r\n\r\ntwo") == ("one\n\n", "two")


@given(st.lists(st.integers(1, 30), max_size=40))
def test_the_blocks_do_not_depend_on_how_the_text_is_streamed(sizes: list[int]) -> None:
    whole: list[str] = []
    rest, text = "", SAMPLE
    for size in [*sizes, len(text)]:
        rest, text = rest + text[:size], text[size:]
        finished, rest = markdown.split(rest)
        whole += [finished] if finished else []
    at_once, last = markdown.split(SAMPLE)
    assert ("".join(whole), rest) == (at_once, last)


@given(st.text(st.sampled_from("ab*_`~#>-|[]()!<&;1.\\ \n\t\x1b\x9b\u202e\u200d\ud800"), max_size=80))
@settings(max_examples=300)
def test_no_text_draws_wide_crashes_or_lets_a_control_through(text: str) -> None:
    for columns in (5, 30):
        rows = markdown.render(text, columns, color=False, unicode=True)
        assert all(cells(row) <= columns for row in rows)
        assert not re.search("[\x00-\x1f\x7f-\x9f\u202e\ud800-\udfff]", "".join(rows))
    finished, rest = markdown.split(text)
    assert finished + rest in (text, text.replace("\r\n", "\n"))


def test_a_growing_long_block_is_redrawn_only_at_its_end() -> None:
    code = "```python\n" + "".join(f"x = {n}\n" for n in range(100))
    assert markdown.tail(code) == "```python\n" + "".join(f"x = {n}\n" for n in range(61, 100))
    assert markdown.tail("short\n") == "short\n"
    assert len(markdown.tail("y" * 100_000)) == markdown.TAIL_CHARACTERS
