"""The loop over real parts: a scripted model, real assembly, a real log."""

from __future__ import annotations

import json
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ctxe.agent.log import read_events
from ctxe.agent.state import State
from ctxe.agent.transitions import rebuild
from ctxe.domain.conversation import Usage
from ctxe.domain.events import ContextAssembled, Event, ModelChosen, Notice, Recorded, TurnFinished
from ctxe.domain.model import Text, TextDelta
from ctxe.domain.tool import Action, Allow, Answer, Ask, Decision, Deny, Revise
from ctxe.providers.scripted import Play, Scripted
from tests.support.counting import count_words
from tests.unit.agent.loop_sessions import MODEL, finished, results, session


def test_a_turn_runs_calls_until_the_answer_and_the_log_holds_every_event(tmp_path: Path) -> None:
    live, provider = session(tmp_path, Play("look", [("echo", {"say": "hi"})]), "done")
    events = list(live.turn("go"))
    assert results(events) == ["hi"]
    assert finished(events).outcome == "answered"
    assert "".join(event.text for event in events if isinstance(event, TextDelta)) == "lookdone"
    assert rebuild(read_events(live.log.path)[0]).conversation == live.state.conversation
    assert len(provider.requests) == 2
    assert provider.requests[1].messages[0] == provider.requests[0].messages[0]


def test_money_and_tokens_of_a_turn_are_summed(tmp_path: Path) -> None:
    live, _ = session(
        tmp_path,
        Play("a", [("echo", {"say": "x"})], usage=Usage(1_000_000, 0)),
        Play("b", usage=Usage(0, 100_000)),
        Play("c", usage=Usage(500_000, 0)),
    )
    end = finished(list(live.turn("go")))
    assert (end.usage, end.usd) == (Usage(1_000_000, 100_000), 2.0)
    again = finished(list(live.turn("and again")))
    assert (again.usage, again.usd, live.state.usd) == (Usage(500_000, 0), 0.5, 2.5)
    assert 0.0 <= again.seconds < 60.0


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (("gone", {}), "there is no tool 'gone'; the tools are echo"),
        (("echo", {}), "say is missing"),
        (("echo", "[1]"), "the arguments must be a JSON object; nothing was run"),
        (
            ("echo", '{"say": '),
            "the arguments are not valid JSON (Expecting value: line 1 column 9 (char 8)); nothing was run",
        ),
    ],
)
def test_an_invalid_call_becomes_a_failed_result_and_the_turn_goes_on(tmp_path: Path, call: Any, said: str) -> None:
    live, _ = session(tmp_path, Play("", [call]), "I see")
    events = list(live.turn("go"))
    assert results(events) == [said]
    assert finished(events).outcome == "answered"


def test_permission_is_decided_asked_for_and_reported(tmp_path: Path) -> None:
    asked: list[str] = []

    def approve(action: Action, ask: Ask) -> Answer:
        asked.append(action.command)
        return Revise(json.dumps({"say": "safer"})) if action.command == "risky" else Deny("not today")

    calls = [("echo", {"say": "risky"}), ("echo", {"say": "worse"})]
    live, _ = session(
        tmp_path, Play("", calls), "ok", decide=lambda a: Allow() if a.command == "ok" else Ask("odd"), approve=approve
    )
    events = list(live.turn("go"))
    assert asked == ["risky", "worse"]
    assert results(events) == [
        '[the user changed the arguments to {"say": "safer"}]\nsafer',
        "not permitted: not today",
    ]


def test_a_rewritten_command_that_is_denied_stays_denied(tmp_path: Path) -> None:
    def decide(action: Action) -> Decision:
        return Deny("never") if action.command == "rm" else Ask()

    live, _ = session(
        tmp_path, Play("", [("echo", {"say": "x"})]), "ok", decide=decide, approve=lambda _, __: Revise('{"say": "rm"}')
    )
    assert results(list(live.turn("go"))) == ["not permitted: never"]


def test_output_is_cleaned_and_trimmed_and_the_original_is_kept(tmp_path: Path) -> None:
    live, _ = session(tmp_path, Play("", [("echo", {"say": "a secret and much more than fits"})]), "ok")
    assert results(list(live.turn("go"))) == ["a [masked] and much …"]
    assert live.state.originals == {"h1": "a [masked] and much more than fits"}


def test_listeners_hear_every_kept_event_and_their_own_events_are_kept(tmp_path: Path) -> None:
    live, _ = session(tmp_path, "ok")

    def listener(event: Event, _: State) -> list[Event]:
        return [Recorded("log", "1", "turn", "ctxe")] if isinstance(event, TurnFinished) else []

    live.listeners = (listener,)
    events = list(live.turn("go"))
    assert events[-1] == Recorded("log", "1", "turn", "ctxe")
    assert read_events(live.log.path)[0][-1] == events[-1]


def test_a_resumed_session_sends_the_same_bytes(tmp_path: Path) -> None:
    live, first = session(tmp_path, Play("look", [("echo", {"say": "hi"})]), "done")
    list(live.turn("go"))
    events, _, count = read_events(live.log.path)
    (tmp_path / "more").mkdir()
    again, second = session(tmp_path / "more", "and on")
    again.state = rebuild(events)
    again.log.count = count
    more = list(again.turn("next"))
    (ledger,) = [event.ledger for event in more if isinstance(event, ContextAssembled)]
    assert second.requests[0].messages[: len(first.requests[-1].messages)] == first.requests[-1].messages
    assert ledger.broke == ""


def test_the_model_is_recorded_once_and_again_when_it_changes(tmp_path: Path) -> None:
    live, _ = session(tmp_path, "a", "b")
    chosen = [[event for event in live.turn("go") if isinstance(event, ModelChosen)] for _ in range(2)]
    other = replace(MODEL, name="other")
    live.ports = replace(live.ports, provider=Scripted(["c"], other, count=count_words))
    chosen.append([event for event in live.turn("go") if isinstance(event, ModelChosen)])
    assert chosen == [[ModelChosen(MODEL.id)], [], [ModelChosen(other.id)]]


def test_a_steering_message_begins_a_turn_between_two_steps(tmp_path: Path) -> None:
    script = [Play(calls=[("echo", {"say": "one"})], usage=Usage(10, 1)), Play("So be it.", usage=Usage(20, 2))]
    talk, model = session(tmp_path, *script)
    later = ["use tabs", ""]

    def more() -> Generator[Event, None, str]:
        yield Notice("heard")
        return later.pop(0)

    events = list(talk.turn("do it", more))
    first, second = talk.state.conversation.turns
    assert (first.words, first.outcome, len(first.steps)) == ("do it", "steered", 1)
    assert (second.words, second.outcome, len(second.steps)) == ("use tabs", "answered", 1)
    ends = [event for event in events if isinstance(event, TurnFinished)]
    assert [(end.outcome, end.usage) for end in ends] == [("steered", Usage(10, 1)), ("answered", Usage(20, 2))]
    assert later == [""], "an answer ends the turn without asking"
    told = [[block for message in request.messages for block in message.blocks] for request in model.requests]
    assert told[1][: len(told[0])] == told[0]
    assert told[1][-1] == Text("use tabs")
    assert rebuild(read_events(talk.log.path)[0]).conversation == talk.state.conversation
