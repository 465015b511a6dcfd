"""A log that lost any of its lines still gives a session whose next request is whole."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ctxe.agent.log import Log, read_events
from ctxe.agent.state import State
from ctxe.agent.transitions import NO_RESULT, NOT_RUN, apply, closing_events, rebuild
from ctxe.domain.conversation import Reply, ToolCall, ToolResult
from ctxe.domain.events import (
    EpochStarted,
    Kept,
    ModelChosen,
    ReplyReceived,
    StepFinished,
    ToolFinished,
    ToolStarted,
    TurnFinished,
    TurnStarted,
)


def asked(*ids: str) -> ReplyReceived:
    return ReplyReceived(Reply("look", tuple(ToolCall(one, "read_file", "{}") for one in ids), "tools"))


def told(call: str) -> ToolFinished:
    return ToolFinished(ToolResult(call, f"result of {call}"), "read_file")


WHOLE: tuple[Kept, ...] = (
    ModelChosen("demo/model"),
    EpochStarted(()),
    TurnStarted("first"),
    asked("a", "b"),
    ToolStarted("a", "read_file", "read"),
    told("a"),
    told("b"),
    StepFinished(1),
    ReplyReceived(Reply("done")),
    StepFinished(2),
    TurnFinished("answered"),
    TurnStarted("second"),
    asked("c"),
    told("c"),
    StepFinished(1),
    ReplyReceived(Reply("done again")),
    StepFinished(2),
    TurnFinished("answered"),
)


def closed(state: State) -> State:
    for event in closing_events(state, "interrupted"):
        state = apply(state, event)
    return state


def pairs(state: State) -> Iterator[tuple[str, str]]:
    for _, step in state.conversation.steps():
        yield from ((call.id, result.call_id) for call, result in zip(step.reply.calls, step.results, strict=True))


@pytest.mark.parametrize("lost", range(len(WHOLE)))
def test_a_log_without_any_one_line_resumes_whole(tmp_path: Path, lost: int) -> None:
    log = Log.create(tmp_path, "s1", "demo", lambda: "2026-11-21T10:00:00Z")
    for event in WHOLE:
        log.append(event)
    lines = log.path.read_bytes().splitlines(keepends=True)
    lines[1 + lost] = b"\xff" + lines[1 + lost][5:]
    log.path.write_bytes(b"".join(lines))
    events, notices, last = read_events(log.path)
    assert len(notices) == 1
    assert last >= len(WHOLE) - 1
    state = closed(rebuild(events))
    assert not state.running
    assert all(call == result for call, result in pairs(state))


@pytest.mark.parametrize("cut", range(len(WHOLE) + 1))
def test_a_log_cut_at_any_line_resumes_whole(cut: int) -> None:
    state = closed(rebuild(WHOLE[:cut]))
    assert (state.running, state.pending, state.results) == (False, None, ())
    assert all(call == result for call, result in pairs(state))


def test_calls_that_started_and_calls_that_did_not_get_different_results() -> None:
    torn = rebuild(
        [TurnStarted("go"), asked("a", "b", "c"), ToolStarted("a", "x", "x"), told("a"), ToolStarted("b", "x", "x")]
    )
    (step,) = closed(torn).turn.steps
    assert [result.text for result in step.results] == ["result of a", NO_RESULT, NOT_RUN]


def test_invalid_numbers_in_a_log_are_ignored(tmp_path: Path) -> None:
    log = Log.create(tmp_path, "s1", "demo", lambda: "2026-11-21T10:00:00Z")
    log.append(StepFinished(1))
    with log.path.open("a") as file:
        file.write(json.dumps({"n": ["x"], "type": "step_finished", "number": 2}) + "\n")
    assert read_events(log.path) == ([StepFinished(1), StepFinished(2)], [], 1)


@pytest.mark.parametrize("odd", [None, 3, True, "text", ["text"], [3], [{"text": "x"}], {"text": "x"}])
def test_an_invalid_todo_list_leaves_the_one_before(odd: object) -> None:
    known = ToolFinished(ToolResult("a", ""), facts={"todo": [{"text": "mend", "state": "doing"}]})
    damaged = ToolFinished(ToolResult("b", ""), facts={"todo": odd})
    assert rebuild([TurnStarted("go"), asked("a", "b"), known, damaged]).todo == (("mend", "doing"),)
    assert rebuild([known, replace(damaged, facts={"todo": []})]).todo == ()


def test_an_empty_session_leaves_no_file(tmp_path: Path) -> None:
    log = Log.create(tmp_path, "s1", "demo", lambda: "2026-11-21T10:00:00Z")
    assert list(tmp_path.iterdir()) == []
    log.append(StepFinished(1))
    assert [json.loads(line).get("v") for line in log.path.read_text().splitlines()] == [1, None]
