"""Where an output is trimmed, lines near the names in use are kept."""

from __future__ import annotations

import json

from ctxe.context.known_lines import VisibleLines
from ctxe.context.nearness import AROUND
from ctxe.context.relevance import FEW, LATELY, names_at_work, relevance
from ctxe.context.tool_output import shown_output
from ctxe.context.trim import BEARING, trim
from ctxe.domain.conversation import Conversation, Reply, Step, ToolCall, ToolResult, Turn
from tests.support.counting import count_words

LINES = [f"line {n} says nothing" for n in range(400)]


def holding(name: str, *places: int) -> str:
    return "\n".join(f"def {name}():" if n in places else line for n, line in enumerate(LINES))


def step(**arguments: str) -> Step:
    call = ToolCall("c", "read_file", json.dumps(arguments))
    return Step(Reply("", (call,)), (ToolResult("c", "text"),))


def test_relevant_names_come_from_the_message_the_newest_calls_and_the_reply() -> None:
    steps = (step(path="src/old.py"), *(step(path="src/new.py") for _ in range(LATELY)))
    talk = Conversation((Turn("mend parse_header", (), steps),))
    assert names_at_work(talk, None) == {"parse_header", "src/new.py"}
    call = ToolCall("d", "search", json.dumps({"pattern": "sendLater"}))
    assert names_at_work(talk, Reply("so to flush_queue", (call,))) >= {"parse_header", "flush_queue", "sendLater"}


def test_nearness_grows_toward_a_line_with_a_relevant_name() -> None:
    marks = relevance(lambda: {"parse_header"})(holding("parse_header", 100).split("\n"))
    assert marks[100] == 1.0
    assert marks[100 - AROUND] == marks[100 + AROUND] > 0
    assert marks[101] > marks[102] > marks[100 + AROUND]
    assert [n for n, mark in enumerate(marks) if mark] == list(range(100 - AROUND, 100 + AROUND + 1))


def test_a_name_on_most_lines_marks_no_place() -> None:
    places = range(0, 400, 400 // (FEW + 1))
    assert not any(relevance(lambda: {"parse_header"})(holding("parse_header", *places).split("\n")))
    assert not any(relevance(lambda: {"other_name"})(LINES))


def test_a_trimmed_read_shows_relevant_lines_before_more_of_its_head() -> None:
    text = holding("parse_header", 300)
    plain = trim(text, "read", 400, count_words)
    shown = trim(text, "read", 400, count_words, bearing=relevance(lambda: {"parse_header"}))
    assert "def parse_header():" not in plain.text
    assert "def parse_header():" in shown.text
    assert shown.text.startswith("line 0 says nothing\nline 1 ")
    assert shown.handle == plain.handle
    assert count_words(shown.text) <= 400
    near = [line for line in shown.text.split("\n") if line in LINES[300 - AROUND : 301 + AROUND]]
    assert len(near) == 2 * AROUND


def test_relevant_lines_never_exceed_their_share() -> None:
    text = "\n".join(f"use of name_{n} here" for n in range(400))
    shown = trim(text, "shell", 400, count_words, bearing=relevance(lambda: {f"name_{n}" for n in range(100, 300)}))
    assert shown.text.split("\n")[0] == "use of name_0 here"
    assert shown.text.split("\n")[-1] == "use of name_399 here"
    between = [n for n in range(100, 300) if f"name_{n} " in shown.text]
    assert 0 < len(between) * 4 <= BEARING * 400


def test_an_output_that_fits_is_unchanged_and_relevance_is_not_computed() -> None:
    def asked() -> set[str]:
        raise AssertionError("asked for nothing")

    text = holding("parse_header", 3)
    assert (
        shown_output(text, "read", 1_000_000, count_words, VisibleLines().update(Conversation()), at_work=asked).text
        == text
    )


def test_a_new_output_keeps_lines_near_names_in_the_user_message() -> None:
    text = holding("parse_header", 390)
    known = VisibleLines().update(Conversation())
    assert "parse_header" in shown_output(text, "read", 8_000, count_words, known, 300, lambda: {"parse_header"}).text
    assert "parse_header" not in shown_output(text, "read", 8_000, count_words, known, 300).text
