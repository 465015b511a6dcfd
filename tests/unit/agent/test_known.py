"""A remembered failure is reported before the call runs: in its place, in the question, or with the result."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from ctxe.agent.dispatch import Dispatcher
from ctxe.domain.conversation import ToolCall
from ctxe.domain.events import ToolFinished
from ctxe.domain.model import ToolSchema
from ctxe.domain.tool import (
    Action,
    Allow,
    Answer,
    Ask,
    Decision,
    Deny,
    KnownFailure,
    Risk,
    Tool,
    ToolOutput,
    without_progress,
)
from ctxe.knowledge.entries.entry import Entry
from ctxe.knowledge.failures.gate import Gate
from ctxe.knowledge.failures.remembered import groups
from ctxe.project.session.memory.session_gate import Mode, SessionGate

CALL = ToolCall("c1", "run", "{}")


def ran(
    known: KnownFailure | None,
    *,
    ok: bool = False,
    decide: Decision | None = None,
    recognised: KnownFailure | None = None,
) -> tuple[ToolFinished, list[tuple[str, str]]]:
    """One call; what came of it, and the questions that were asked."""
    asked: list[tuple[str, str]] = []

    def approve(_: Action, ask: Ask) -> Answer:
        asked.append((ask.why, ask.known))
        return Deny("the user said no")

    tool = Tool(
        ToolSchema("run", "", {}),
        Risk.EXECUTE,
        lambda _: Action("run", "run it", Risk.EXECUTE, without_progress(lambda: ToolOutput("out", ok))),
    )
    dispatcher = Dispatcher(
        {"run": tool},
        lambda _: decide or Allow(),
        approve,
        lambda output: (output.text, ""),
        str,
        known_failure=lambda _: known,
        recognise_failure=lambda _: recognised,
    )
    (*_, end) = dispatcher(CALL)
    assert isinstance(end, ToolFinished)
    return end, asked


def known(way: Any, says: str = "[failed before]") -> KnownFailure:
    return KnownFailure("ab12", "use y", says, way)


def test_a_known_failure_answers_in_place_of_the_run() -> None:
    end, asked = ran(known("answer"))
    assert (end.result.text, end.result.ok, end.facts, asked) == ("[failed before]", False, {"repeats": "ab12"}, [])


@pytest.mark.parametrize(("decide", "why"), [(Allow(), ("", "use y")), (Ask("it writes"), ("it writes", "use y"))])
def test_a_person_is_asked_with_the_failure_in_the_question(decide: Decision, why: tuple[str, str]) -> None:
    end, asked = ran(known("ask"), decide=decide)
    assert asked == [why]
    assert end.result.text == "not permitted: the user said no\n[failed before]"
    assert end.facts == {"refused": "not permitted: the user said no"}


def test_the_gate_does_not_change_denied_or_allowed_calls() -> None:
    assert ran(known("ask"), decide=Deny("never"))[1] == []
    assert ran(known("note"), ok=True)[0].result.text == "out"


def test_a_note_is_added_to_a_failed_result() -> None:
    assert ran(known("note"))[0].result.text == "out\n[failed before]"
    assert ran(None, recognised=known("note", "[seen]"))[0].result.text == "out\n[seen]"
    assert ran(known("note", ""))[0].result.text == "out"


def remembered() -> Entry:
    entry = Entry("a-1", "failure", "`make x`: broken", "resolved", error="E: m (x.c:1)", fix="edited x.c")
    return replace(entry, signature="ab" * 16, command="make x", call="make x", state=("x.c@aa",))


def gating(mode: Mode, digest: Callable[[str], str] = lambda _: "aa") -> SessionGate:
    found = SessionGate(Gate(), mode, "/w", digest)
    found.learn(groups([remembered()], {}))
    return found


def action(command: str) -> Action:
    given = f'{{"command": "{command}"}}'
    return Action("run_command", "", Risk.EXECUTE, lambda: iter(()), command=command, arguments=given)


def test_the_gate_answers_once_then_notes_or_asks_or_is_off() -> None:
    tell, stop = gating("tell"), gating("stop")
    (first, second, third) = (tell.known_failure(action("make x")) for _ in range(3))
    assert first is not None
    assert (first.way, "edited x.c" in first.message, "was not run" in first.message) == ("answer", True, True)
    assert second is not None
    assert (second.way, "was not run" in second.message, third) == ("note", False, None)
    asks = stop.known_failure(action("make x"))
    assert asks is not None
    assert asks.way == "ask"
    assert gating("off").known_failure(action("make x")) is None
    assert gating("tell").known_failure(action("make y")) is None


def test_the_same_kind_of_error_from_another_command_is_noted_once() -> None:
    found = gating("tell", lambda _: "bb")
    facts = {"command": "gcc x.c", "exit_code": 1, "error": {"class": "E", "message": "m", "file": "y.c", "line": 9}}
    notes = [found.recognise(ToolOutput("", ok=False, facts=facts)) for _ in range(2)]
    assert [note.way if note else "" for note in notes] == ["note", ""]
    assert found.recognise(ToolOutput("", facts={**facts, "exit_code": 0})) is None


def test_the_same_command_with_another_error_is_another_failure() -> None:
    found = gating("tell", lambda _: "bb")
    seen = found.known_failure(action("make x"))
    assert seen is not None
    assert (seen.way, seen.message, "fix: edited x.c" in seen.lesson) == ("note", "", True)
    other = {"class": "Other", "message": "words", "file": "y.c", "line": 1}
    assert (
        found.recognise(ToolOutput("", ok=False, facts={"command": "make x", "exit_code": 1, "error": other})) is None
    )
    mute = found.recognise(ToolOutput("", ok=False, facts={"command": "make x", "exit_code": 1}))
    assert mute is not None
    assert "edited x.c" in mute.message


@pytest.mark.parametrize("error", ["exit code 1", "AssertionError: assert 61 == 58 (t.py:3)", "Error: Not equal:", ""])
def test_errors_without_a_specific_message_match_no_known_failure(error: str) -> None:
    found = SessionGate(Gate(), "tell", "/w", str)
    entry = replace(remembered(), error=error, command="make other", call="make other")
    found.learn(groups([entry], {}))
    kind, _, message = error.partition(" (")[0].partition(": ")
    told = {"class": kind, "message": message.replace("61", "7")} if message else {}
    facts = {"command": "make all", "exit_code": 1} | ({"error": told} if told else {})
    assert found.recognise(ToolOutput("", ok=False, facts=facts)) is None
