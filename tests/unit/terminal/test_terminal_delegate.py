"""A delegate on the screen: one line with its costs and the beginning of its answer."""

from __future__ import annotations

from typing import Any

import pytest

from ctxe.domain.conversation import ToolResult, Usage
from ctxe.domain.events import Consulted, ToolFinished
from ctxe.terminal.calls import tool_finished
from ctxe.terminal.style import Line
from ctxe.terminal.transcript import event_lines

TOOK = {"session": "s-d1", "model": "m", "outcome": "answered", "reads": 31, "tokens": 41_200, "usd": 0.0381}


def drawn(facts: dict[str, Any], text: str, ok: bool = True) -> list[str]:
    event = ToolFinished(
        ToolResult("1", text, ok), "delegate", "delegate who retries?", "", "", 48.2, {"delegate": facts}
    )
    return [plain(row) for row in tool_finished(event, unicode=True)]


def plain(row: Line) -> str:
    return "".join(text for text, _ in row)


def test_a_delegate_is_one_line_of_costs_and_the_start_of_its_answer() -> None:
    assert drawn(TOOK, "`a.py:1` does.\n\n- b\n- c\n- d\n- e") == [
        "● delegate who retries? · 31 reads · 41.2k tokens · $0.0381 · s-d1 · 48s",
        "  `a.py:1` does.",
        "  ",
        "  - b",
        "  - c",
        "  … 2 more lines",
    ]


def test_a_delegate_without_price_reads_or_answer_is_drawn() -> None:
    assert drawn(TOOK | {"usd": None, "reads": 0}, "[the delegate failed: no]", ok=False) == [
        "● delegate who retries? · 41.2k tokens · s-d1 · 48s",
        "  [the delegate failed: no]",
    ]


@pytest.mark.parametrize("facts", [{}, {"reads": 1}])
def test_a_delegate_event_with_missing_fields_is_drawn(facts: dict[str, Any]) -> None:
    assert drawn(facts, "yes")[1] == "  yes"


def test_replies_of_a_delegate_are_not_drawn() -> None:
    assert event_lines(Consulted("delegate d1", "m", Usage(1, 1), 0.1, "s-d1"), unicode=True) == []
    assert [plain(row) for row in event_lines(Consulted("look over the plan", "m", None, 0.1), unicode=True)] == [
        "asked m to look over the plan · $0.1000"
    ]
