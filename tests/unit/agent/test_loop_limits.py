"""What ends a turn early: limits of steps and money, and a model that repeats itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from ctxe.agent.limits import Limits, circle_note, stuck_reason
from ctxe.agent.state import State
from ctxe.domain.conversation import Conversation, Reply, Step, ToolCall, ToolResult, Turn, Usage
from ctxe.domain.events import Notice
from ctxe.domain.ledger import Ledger, Row
from ctxe.domain.model import Prices, Text
from ctxe.domain.section import Priority
from ctxe.domain.tool import ANSWERED
from ctxe.providers.scripted import Play
from tests.unit.agent.loop_sessions import finished, session


def test_the_step_limit_ends_the_turn_and_the_session_stays_usable(tmp_path: Path) -> None:
    again = [Play("", [("echo", {"say": str(n)})]) for n in range(3)]
    live, _ = session(tmp_path, *again, "later", limits=Limits(steps=2))
    assert finished(list(live.turn("go"))).outcome == "step limit"
    live.ports = replace(live.ports, limits=Limits(steps=9))
    assert finished(list(live.turn("go on"))).outcome == "answered"


def test_money_is_warned_of_and_ends_the_turn(tmp_path: Path) -> None:
    step = Play("", [("echo", {"say": "x"})], usage=Usage(450_000, 0))
    live, _ = session(tmp_path, step, step, step, limits=Limits(usd=0.5))
    events = list(live.turn("go"))
    assert [event.text for event in events if isinstance(event, Notice)] == ["$0.4500 of $0.50 spent"]
    assert finished(events).outcome == "cost limit"


def test_a_request_that_would_go_beyond_the_money_left_is_not_sent() -> None:
    prices = Prices(10.0, 0.0, 1.0)
    row = Row("rules", "rules", Priority.SYSTEM, 50_000, 50_000, "system")
    state = State(ledger=Ledger("m", 90_000, 1_000, (row,)), usd=0.95)
    assert Limits(usd=1.0).cost_limit_reason(state, prices) == ""
    assert Limits(usd=1.0).cost_limit_reason(replace(state, usd=0.96), prices) == (
        "$0.0400 of $1.00 are left, and the next request takes $0.0500 at least"
    )
    assert Limits(usd=1.0).cost_limit_reason(replace(state, usd=1.0), None) == "$1.00 for this session are spent"
    assert Limits(usd=1.0).cost_limit_reason(replace(state, usd=0.99), None) == ""
    assert Limits().cost_limit_reason(replace(state, usd=99.0), prices) == ""


def test_the_same_call_three_times_is_noted_once(tmp_path: Path) -> None:
    again = Play("", [("echo", {"say": "x"})])
    live, provider = session(tmp_path, again, again, again, again, "ok")
    list(live.turn("go"))
    sent = [block for message in provider.requests[-1].messages for block in message.blocks]
    notes = [block for block in sent if isinstance(block, Text) and "3 times with the same arguments" in block.text]
    assert len(notes) == 1


def test_calls_truncated_again_and_again_end_the_turn(tmp_path: Path) -> None:
    live, provider = session(tmp_path, *[Play("", [("echo", {"say": "x"})], stop="length")] * 5)
    events = list(live.turn("go"))
    assert (finished(events).outcome, len(provider.requests)) == ("failed", 2)


def test_two_alternating_calls_are_noted_once_with_their_names() -> None:
    steps: tuple[Step, ...] = ()
    notes = []
    for number in range(8):
        call = ToolCall(f"c{number}", "edit", f'{{"to": "{"ab"[number % 2]}"}}')
        steps += (Step(Reply("", (call,)), (ToolResult(call.id, f"done {number}"),)),)
        notes.append(circle_note(State(Conversation((Turn("go", steps=steps),)))))
    assert [note is not None for note in notes] == [False] * 5 + [True, False, False]
    assert notes[5] is not None
    assert notes[5].text.splitlines()[1:] == ['- edit {"to": "a"}', '- edit {"to": "b"}']


def test_a_call_answered_by_the_gate_counts_with_its_last_result() -> None:
    results = ["boom", f"{ANSWERED} in this session.]", "boom"]
    calls = [ToolCall(f"c{n}", "run_command", "{}") for n in range(3)]
    steps = tuple(
        Step(Reply("", (call,)), (ToolResult(call.id, text),)) for call, text in zip(calls, results, strict=True)
    )
    notes = [circle_note(State(Conversation((Turn("go", steps=steps[:n]),)))) for n in (1, 2, 3)]
    assert [note is not None for note in notes] == [False, False, True]


def test_a_model_that_repeats_one_failing_call_is_stopped() -> None:
    def steps(count: int, *, ok: bool = False, other: int = -1) -> State:
        calls = [ToolCall(f"c{n}", "run_command", '{"command": "ls"}' if n == other else "{") for n in range(count)]
        made = tuple(Step(Reply("Again.", (call,)), (ToolResult(call.id, f"{call.id}", ok),)) for call in calls)
        return State(Conversation((Turn("go", steps=made),)))

    assert stuck_reason(steps(8)) == "the model made the same failing call 8 times in a row (run_command)"
    assert [stuck_reason(one) for one in (steps(7), steps(8, ok=True), steps(8, other=4))] == ["", "", ""]


def test_a_model_that_repeats_a_read_is_stopped_but_one_that_polls_a_job_is_not() -> None:
    def steps(tool: str, says: Callable[[int], str] = lambda _: "x = 1", words: str = "") -> State:
        calls = [ToolCall(f"c{n}", tool, '{"path": "a.py"}') for n in range(8)]
        words_of = [f"{words} {n}" if words else "" for n in range(8)]
        made = tuple(Step(Reply(words_of[n], (call,)), (ToolResult(call.id, says(n)),)) for n, call in enumerate(calls))
        return State(Conversation((Turn("go", steps=made),)))

    assert stuck_reason(steps("read_file")) == "the model made the same call 8 times in a row (read_file)"
    others = (steps("run_command"), steps("use"), steps("read_file", str), steps("read_file", words="Step"))
    assert [stuck_reason(one) for one in others] == ["", "", "", ""]


def test_a_step_without_calls_is_no_repetition() -> None:
    calls = [ToolCall(f"c{n}", "run_command", "{}") for n in range(2)]
    steps = (*(Step(Reply("", (call,)), (ToolResult(call.id, "boom"),)) for call in calls), Step(Reply("I think")))
    assert circle_note(State(Conversation((Turn("go", steps=steps),)))) is None
