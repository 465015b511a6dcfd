"""The text of a plan, its steps, and the effect of the user's answer."""

from __future__ import annotations

from typing import Any

import pytest

from ctxe.agent.state import State
from ctxe.agent.transitions import apply, rebuild
from ctxe.domain.conversation import ToolResult
from ctxe.domain.errors import ToolError
from ctxe.domain.events import ModeChosen, ToolFinished
from ctxe.domain.tool import Allow, Deny, ToolOutput
from ctxe.terminal.input.plan import LEFT, parse_answer
from ctxe.tools.use_plan import LONGEST_PLAN, items, prepare


def output(**arguments: Any) -> ToolOutput:
    found = list(prepare(arguments, lambda: "ask").run())[-1]
    assert isinstance(found, ToolOutput)
    return found


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("no list", []),
        ("Why\n- because\n\n1. First\n2) **Second**\n   - detail\n10. Third", ["First", "Second", "Third"]),
        ("- [ ] one\n- [x] two\n* three\n+ four\n  - five", ["one", "two", "three", "four"]),
        ("-no item\n1.no item\n---", []),
        ("\n".join(f"{n}. step" for n in range(1, 80)), ["step"] * 50),
    ],
)
def test_steps_are_the_items_of_a_plan(text: str, steps: list[str]) -> None:
    assert items(text) == steps


def test_the_approved_plan_is_the_one_shown() -> None:
    action = prepare({"text": "## Do it\nsoon", "steps": ["One  thing", " "]}, lambda: "ask")
    assert (action.title, action.preview, action.preview_kind) == (
        "plan: Do it",
        "## Do it\nsoon\n\n- One thing",
        "markdown",
    )
    assert prepare({"text": "1. One"}, lambda: "ask").preview == "1. One"
    assert output(text="1. One").facts == {"plan": "1. One", "todo": [{"text": "One", "state": "open"}]}
    assert output(text="Just so").facts == {"plan": "Just so"}


@pytest.mark.parametrize("given", [{}, {"text": " "}, {"text": "x" * (LONGEST_PLAN + 1)}, {"text": "x", "more": 1}])
def test_invalid_plans_are_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ToolError):
        prepare(given, lambda: "ask")
    with pytest.raises(ToolError, match="at most 50"):
        prepare({"text": "x", "steps": ["y"] * 51}, lambda: "ask")


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        ("y", Allow("mode:ask")),
        ("Yes", Allow("mode:ask")),
        ("a", Allow("mode:auto-edit")),
        ("l", Deny(LEFT)),
        (None, Deny(LEFT)),
        ("n", Deny("the user does not want this plan; ask what they want instead")),
        ("no, more tests", Deny("the user wants the plan changed: more tests; propose it anew by `use` plan")),
        ("", None),
        ("yes but", None),
        ("auto", None),
    ],
)
def test_answers_to_a_plan_are_parsed(typed: str | None, answer: object) -> None:
    assert parse_answer(typed) == answer


def test_a_plan_stands_until_it_is_done_and_a_mode_until_the_next() -> None:
    def finished(facts: dict[str, Any]) -> ToolFinished:
        return ToolFinished(ToolResult("c", "x"), facts=facts)

    one, two = {"text": "1", "state": "done"}, {"text": "2", "state": "open"}
    state = apply(State(), finished({"plan": "Do it", "todo": [two]}))
    assert (state.plan, state.todo) == ("Do it", (("2", "open"),))
    assert apply(state, finished({"todo": [one, two]})).plan == "Do it"
    assert apply(state, finished({"todo": [one]})).plan == ""
    assert rebuild([ModeChosen("read-only"), ModeChosen("ask")]) == State(mode="ask")
