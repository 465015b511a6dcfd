"""The loop over real parts: a scripted model, real assembly, a real log."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ctxe.agent.dispatch import Dispatcher
from ctxe.agent.limits import Limits, circle_note, stuck_reason
from ctxe.agent.log import Log, read_events
from ctxe.agent.session import Session
from ctxe.agent.state import State
from ctxe.agent.transitions import CUT_OFF, rebuild
from ctxe.agent.turn import Ports
from ctxe.context.assemble import Frame, assemble
from ctxe.context.budget import Budget
from ctxe.domain.conversation import (
    Conversation,
    Fold,
    Position,
    Reply,
    Step,
    StopReason,
    ToolCall,
    ToolResult,
    Turn,
    Usage,
)
from ctxe.domain.errors import ContextOverflow, ToolError, Unreachable
from ctxe.domain.events import (
    Consulted,
    ContextAssembled,
    Event,
    ModelChosen,
    Notice,
    Recorded,
    ToolFinished,
    TurnFinished,
)
from ctxe.domain.ledger import Ledger, Row
from ctxe.domain.model import CallDelta, Delta, Model, Prices, Request, Text, TextDelta, ToolSchema, Waiting
from ctxe.domain.section import Chunk, Priority, Section
from ctxe.domain.tool import (
    ANSWERED,
    Action,
    Allow,
    Answer,
    Ask,
    Decision,
    Deny,
    Progress,
    Revise,
    Risk,
    Tool,
    ToolOutput,
    without_progress,
)
from ctxe.providers.scripted import Line, Play, Scripted

MODEL = Model("scripted", "test", 10_000, 1_000, Prices(1.0, 10.0), exact=True)
RULES = Section("rules", Priority.SYSTEM, (Chunk("rules", "be right"),), "system")


def words(text: str) -> int:
    return len(text.split())


def echo(arguments: Mapping[str, Any]) -> Action:
    if "say" not in arguments:
        raise ToolError("say is missing")
    said = str(arguments["say"])
    if said == "raise":

        def run() -> Iterator[Progress | ToolOutput]:
            yield Progress("…")
            raise KeyboardInterrupt

        return Action("echo", "echo", Risk.READ, run)
    return Action(
        "echo",
        f"echo {said}",
        Risk.EXECUTE,
        without_progress(lambda: ToolOutput(said, facts={"said": said})),
        command=said,
    )


NO_LIMIT = Limits()
ECHO = Tool(ToolSchema("echo", "Say it.", {"type": "object"}), Risk.READ, echo)


def clean(text: str) -> str:
    return text.replace("secret", "[masked]")


def trim(output: ToolOutput) -> tuple[str, str]:
    return (output.text[:20] + "…", "h1") if len(output.text) > 20 else (output.text, "")


def session(
    folder: Path,
    *script: Line,
    decide: Callable[[Action], Decision] = lambda _: Allow(),
    approve: Callable[[Action, Ask], Answer] = lambda _, __: Deny("nobody is here"),
    limits: Limits = NO_LIMIT,
    fold: Callable[[State, str], Fold | None] = lambda _, __: None,
) -> tuple[Session, Scripted]:
    provider = Scripted(script, MODEL, count=words)
    dispatcher = Dispatcher({"echo": ECHO}, decide, approve, trim, clean)
    frame = Frame((ECHO.schema,), (RULES,), MODEL.id)
    ports = Ports(
        provider,
        standing=lambda _: (RULES,),
        gather=lambda _, __: (),
        freshen=lambda _: (),
        fold=fold,
        compose=lambda state: assemble(
            replace(frame, sections=state.standing or ()), state.conversation, Budget(10_000, 100), words, state.marks
        ),
        dispatch=lambda call, _: dispatcher(call),
        limits=limits,
    )
    log = Log.create(folder, "s1", "demo", lambda: "2026-11-21T10:00:00Z")
    return Session("s1", log, ports), provider


def finished(events: list[Event]) -> TurnFinished:
    (end,) = [event for event in events if isinstance(event, TurnFinished)]
    return end


def results(events: list[Event]) -> list[str]:
    return [event.result.text for event in events if isinstance(event, ToolFinished)]


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


def test_an_interrupted_call_leaves_a_whole_conversation(tmp_path: Path) -> None:
    live, provider = session(
        tmp_path, Play("", [("echo", {"say": "raise"}), ("echo", {"say": "never"})]), "hello again"
    )
    with pytest.raises(KeyboardInterrupt):
        list(live.turn("go"))
    assert live.state.turn.outcome == "interrupted"
    assert finished(list(live.turn("still there?"))).outcome == "answered"
    blocks = [block for message in provider.requests[-1].messages for block in message.blocks]
    assert [b.text[:11] for b in blocks if isinstance(b, ToolResult)] == ["…\n[the user", "interrupted"]


def test_an_interrupted_answer_keeps_the_text_that_arrived(tmp_path: Path) -> None:
    live, _ = session(tmp_path, "a long answer that is left in the middle of it all, as people do")
    stream = live.turn("go")
    for event in stream:
        if isinstance(event, TextDelta):
            break
    stream.close()
    (step,) = live.state.turn.steps
    assert step.reply.stop == "interrupted"
    assert "a long answer".startswith(step.reply.text[:13])
    assert live.state.turn.outcome == "interrupted"
    ledger = live.state.ledger
    assert ledger is not None
    assert live.state.usage == step.reply.usage == Usage(ledger.used, len(step.reply.text))
    assert live.state.usd == pytest.approx((ledger.used + 10 * len(step.reply.text)) / 1e6)
    assert rebuild(read_events(live.log.path)[0]).usd == live.state.usd


def test_an_answer_interrupted_before_its_first_word_is_paid_for_but_not_kept(tmp_path: Path) -> None:
    live, _ = session(tmp_path, Play("", [("echo", {"say": "a call that takes a while to write"})]))
    stream = live.turn("go")
    begun = next(event for event in stream if isinstance(event, CallDelta) and event.size > 8)
    stream.close()
    (paid,) = [event for event in read_events(live.log.path)[0] if isinstance(event, Consulted)]
    assert live.state.ledger is not None
    assert paid == Consulted(CUT_OFF, MODEL.id, Usage(live.state.ledger.used, begun.size // 4), live.state.usd)
    assert live.state.turn.steps == ()
    assert live.state.usd > 0


def test_a_provider_that_fails_ends_the_turn_and_the_next_one_works(tmp_path: Path) -> None:
    live, _ = session(tmp_path, Play(error="unreachable"), "back")
    seen: list[Event] = []
    with pytest.raises(Unreachable):
        seen.extend(live.turn("go"))
    assert live.state.turn.outcome == "failed"
    assert finished(list(live.turn("again"))).outcome == "answered"


def test_a_context_overflow_folds_once_and_repeats_the_request(tmp_path: Path) -> None:
    folds: list[str] = []

    def fold(state: State, cause: str) -> Fold | None:
        folds.append(cause)
        return Fold(Position(len(state.conversation.turns) - 1, 0), (Chunk("record", "before"),)) if cause else None

    live, provider = session(
        tmp_path, Play(error="overflow"), "fits now", Play(error="overflow"), Play(error="overflow"), fold=fold
    )
    assert finished(list(live.turn("go"))).outcome == "answered"
    assert folds == ["", "overflow"]
    with pytest.raises(ContextOverflow):
        list(live.turn("again"))
    assert len(provider.requests) == 4


def test_listeners_hear_every_kept_event_and_their_own_events_are_kept(tmp_path: Path) -> None:
    live, _ = session(tmp_path, "ok")

    def listener(event: Event, _: State) -> list[Event]:
        return [Recorded("log", "1", "turn", "ctxe")] if isinstance(event, TurnFinished) else []

    live.listeners = (listener,)
    events = list(live.turn("go"))
    assert events[-1] == Recorded("log", "1", "turn", "ctxe")
    assert read_events(live.log.path)[0][-1] == events[-1]


def test_an_unwritable_log_is_reported_and_the_chat_goes_on(tmp_path: Path) -> None:
    live, _ = session(tmp_path, "ok")
    live.log.path.mkdir()
    events = list(live.turn("go"))
    assert finished(events).outcome == "answered"
    notices = [event.text for event in events if isinstance(event, Notice)]
    assert [text.startswith("not logged: cannot append") for text in notices] == [True], "and told once"


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


def test_a_truncated_call_is_reported_and_never_runs(tmp_path: Path) -> None:
    cut = Play("I begin", [("echo", {"say": "HOSTILE"})], stop="length")
    live, provider = session(tmp_path, cut, "in small steps then")
    events = list(live.turn("go"))
    assert results(events) == []
    assert finished(events).outcome == "answered"
    assert [e.text for e in events if isinstance(e, Notice)] == [
        "the answer was cut at the model's output limit; echo was not run"
    ]
    told = provider.requests[-1].messages[-1].blocks[-1]
    assert isinstance(told, Text)
    assert "while it called echo; none of it was run" in told.text


def test_calls_truncated_again_and_again_end_the_turn(tmp_path: Path) -> None:
    live, provider = session(tmp_path, *[Play("", [("echo", {"say": "x"})], stop="length")] * 5)
    events = list(live.turn("go"))
    assert (finished(events).outcome, len(provider.requests)) == ("failed", 2)


@pytest.mark.parametrize(
    ("stop", "said"),
    [
        ("length", "the answer was cut at the model's output limit"),
        ("refusal", "the model refused to answer"),
        ("filtered", "the provider's filter stopped the answer"),
    ],
)
def test_an_answer_that_was_filtered_or_cut_says_so(tmp_path: Path, stop: StopReason, said: str) -> None:
    live, _ = session(tmp_path, Play("As far as", stop=stop))
    events = list(live.turn("go"))
    assert [event.text for event in events if isinstance(event, Notice)] == [said]
    assert finished(events).outcome == "answered"


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


class Stammering:
    """A model that begins again after a wait, and is interrupted before it comes to an end."""

    model = MODEL

    def stream(self, request: Request) -> Iterator[Delta | Reply]:
        """Words that are void, a wait, words that count, and the user's Ctrl-C."""
        yield TextDelta("void ")
        yield Waiting(1.0, "cut")
        yield TextDelta("what ")
        yield TextDelta("counts")
        raise KeyboardInterrupt


def test_an_interrupted_answer_keeps_the_text_since_the_last_retry(tmp_path: Path) -> None:
    live, _ = session(tmp_path, "never asked")
    live.ports = replace(live.ports, provider=Stammering())
    with pytest.raises(KeyboardInterrupt):
        list(live.turn("go"))
    (step,) = live.state.turn.steps
    assert live.state.ledger is not None
    usage = Usage(live.state.ledger.used, len("what counts"))
    assert step.reply == Reply("what counts", stop="interrupted", usage=usage, model=MODEL.id)
    assert live.state.turn.outcome == "interrupted"


def test_the_model_is_recorded_once_and_again_when_it_changes(tmp_path: Path) -> None:
    live, _ = session(tmp_path, "a", "b")
    chosen = [[event for event in live.turn("go") if isinstance(event, ModelChosen)] for _ in range(2)]
    other = replace(MODEL, name="other")
    live.ports = replace(live.ports, provider=Scripted(["c"], other, count=words))
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
