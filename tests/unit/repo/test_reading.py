"""A task is read in several views."""

from __future__ import annotations

import pytest

from ctxe.lexical.traces import TraceLocation
from ctxe.repo.planning.reading import compounds, read_task

ISSUE = """Pot.pour() loses tea when `strict_mode` is on

<!-- please search first -->
### Describe the bug
The hue order is lost in tea/pot.py.

```python
from tea import Pot
Pot(strict_mode=True).pour()
```

Traceback (most recent call last):
  File "/home/me/tea/pot.py", line 12, in pour
    raise SpillError
### Expected behavior
No spill.
"""


def test_title_prose_and_pasted_text_are_separated() -> None:
    found = read_task(ISSUE)
    assert found.title == "Pot.pour() loses tea when `strict_mode` is on"
    assert "hue order" in found.prose
    assert "No spill." in found.prose
    for gone in ("Describe", "Expected", "search first", "SpillError", "strict_mode=True"):
        assert gone not in found.prose
    assert "strict_mode=True" in found.pasted
    assert "SpillError" in found.pasted
    assert set(found.names) == {"strict_mode"}
    assert found.mentions.frames == (TraceLocation("/home/me/tea/pot.py", 12, "pour"),)
    assert TraceLocation("tea/pot.py") in found.mentions.paths


def test_a_task_of_only_a_trace_is_about_its_last_lines() -> None:
    trace = ISSUE[ISSUE.index("Traceback") : ISSUE.index("### Expected")] + "SpillError: the cup is full\n"
    found = read_task(trace)
    assert found.title == "SpillError the cup is full"
    assert "Traceback" not in found.prose
    assert "Traceback (most recent call last):" in found.pasted
    assert found.mentions.frames == (TraceLocation("/home/me/tea/pot.py", 12, "pour"),)
    assert read_task("Traceback (most recent call last) is shown twice").title.endswith("is shown twice")


def test_views_hold_search_terms() -> None:
    views = read_task(ISSUE).views()
    assert set(views) == {"title", "lead", "prose", "code", "paste", "fault", "compound"}
    assert {"pour", "lose", "tea", "strict_mode", "strict", "mode"} <= set(views["title"])
    assert "hue" not in views["title"]
    assert "hue" in views["lead"]
    assert set(views["code"]) == {"strict_mode", "strict", "mode"}
    assert {"hue_order", "hueorder"} <= set(views["compound"])


@pytest.mark.parametrize(
    ("title", "scope"),
    [
        ("fix(cli): speak up", ("cli",)),
        ("net/http: keep cookies", ("net/http",)),
        ("core, printer: tidy", ("core", "printer")),
        ("fix: a bug", ()),
        ("No prefix here", ()),
        ("Look at this: it fails", ("Look",)),
    ],
)
def test_the_prefix_of_a_title_is_split_off(title: str, scope: tuple[str, ...]) -> None:
    assert read_task(title).scope == scope


def test_neighbouring_words_make_identifiers() -> None:
    assert list(compounds("hue orders. now")) == ["hue_orders", "hue_order", "hueorders", "hueorder"]


def test_a_long_first_line_is_cut_at_its_first_sentence() -> None:
    found = read_task("The pot leaks a lot of tea. " + "It does so every day " * 20)
    assert found.title == "The pot leaks a lot of tea."
    assert found.prose.startswith(" It does so")


@pytest.mark.parametrize(
    "text", ["", "\n\n", "   ", "\0", "```", "x" * 2_000_000, "a\n" * 700_000, "\ud800", "茶壶漏水了"]
)
def test_any_text_can_be_read_as_a_task(text: str) -> None:
    found = read_task(text)
    assert set(found.views()) == {"title", "lead", "prose", "code", "paste", "fault", "compound"}


def test_words_of_other_languages_are_search_terms() -> None:
    assert {"茶壶", "壶漏"} <= set(read_task("茶壶漏水了").views()["title"])
    assert {"fuit"} <= set(read_task("La théière fuit").views()["title"])


@pytest.mark.parametrize(
    ("task", "words"),
    [
        ("https://github.com/gin-gonic/gin/issues/4723", ["4723"]),
        ("please see https://forge.example/a/b/-/merge_requests/17#note_5", ["see", "17"]),
        ("https://github.com/gin-gonic/gin/blob/master/tree.go#L120 walks", ["tree", "walk"]),
        ("the parser, https://docs.example.org", ["parser"]),
        ("redo https://github.com/a/b/commit/dcaa4296", ["redo"]),
        ("https://example.org", []),
    ],
)
def test_only_code_and_issue_names_of_an_address_are_read(task: str, words: list[str]) -> None:
    reading = read_task(task)
    assert reading.title.strip()
    assert [word for word in reading.views()["title"] if word not in ("go", "dcaa4296", "l120", "120")] == words
    assert reading.mentions.commits == (("dcaa4296",) if "commit" in task else ())
