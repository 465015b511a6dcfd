"""A session's state is what its events say, and a torn turn is always closed whole."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import example, given
from hypothesis import strategies as st

from ctxe.agent.state import State
from ctxe.agent.transitions import NO_RESULT, NOT_RUN, apply, closing_events, rebuild
from ctxe.domain.conversation import Fold, Outcome, Position, Reply, Step, ToolCall, ToolResult, Turn, Usage
from ctxe.domain.events import (
    Consulted,
    ContextAssembled,
    EpochStarted,
    FileChosen,
    Folded,
    Kept,
    ModelChosen,
    Noted,
    Pinned,
    Queued,
    ReplyReceived,
    StepFinished,
    Summarized,
    ToolFinished,
    TurnFinished,
    TurnStarted,
    Unfolded,
)
from ctxe.domain.ledger import Ledger, Row
from ctxe.domain.section import Chunk, Priority

CALLS = (ToolCall("a", "run", "{}"), ToolCall("b", "run", "{}"))
ASKED = Reply("working", CALLS, "tools", Usage(10, 2))


def test_a_turn_is_built_from_its_events() -> None:
    events: list[Kept] = [
        TurnStarted("go"),
        ReplyReceived(ASKED, 0.5),
        ToolFinished(ToolResult("b", "two")),
        ToolFinished(ToolResult("a", "one", handle="h"), full="one and more"),
        StepFinished(1),
        Noted((Chunk("n", "note"),)),
        ReplyReceived(Reply("done", usage=Usage(20, 1)), 0.25),
        StepFinished(2),
        TurnFinished("answered"),
    ]
    state = rebuild(events)
    first = Step(ASKED, (ToolResult("a", "one", handle="h"), ToolResult("b", "two")), (Chunk("n", "note"),))
    assert state.conversation.turns == (Turn("go", (), (first, Step(Reply("done", usage=Usage(20, 1)))), "answered"),)
    assert (state.usage, state.usd, state.originals) == (Usage(30, 3), 0.75, {"h": "one and more"})
    assert not state.running


def test_folds_stack_and_start_epochs() -> None:
    one, two = Fold(Position(0, 1), cause="a"), Fold(Position(1, 0), cause="b")
    state = rebuild([EpochStarted(()), Folded(one), EpochStarted(()), Folded(two)])
    assert (state.conversation.fold, state.standing) == (two, None)
    state = apply(state, Unfolded())
    assert state.conversation.fold == one
    assert apply(state, Unfolded()).conversation.fold is None


def test_marks_of_the_last_request_survive_a_fold_but_not_a_change_of_model() -> None:
    row = Row("rules", "rules", Priority.SYSTEM, 9, 9, "system", digest="d")
    sent = ContextAssembled(Ledger("m", 10, 1, (row, replace(row, given=0, digest="out"))))
    state = rebuild([EpochStarted(()), sent])
    assert (state.marks, state.previous_marks) == (("d",), ())
    folded = rebuild([EpochStarted(()), sent, Folded(Fold(Position(0, 1))), Unfolded()])
    assert (folded.marks, folded.previous_marks) == ((), ("d",))
    assert (apply(folded, sent).marks, apply(folded, sent).previous_marks) == (("d",), ())
    assert apply(folded, ModelChosen("x/y")).previous_marks == ()


def test_a_change_of_model_starts_an_epoch_and_pins_come_and_go() -> None:
    state = rebuild([EpochStarted(()), ModelChosen("x/y"), Pinned("p"), Pinned("q"), Pinned("p", pinned=False)])
    assert (state.model, state.standing, state.pins) == ("x/y", None, ("q",))


def test_queued_notes_wait_for_the_next_message_and_files_are_chosen_once() -> None:
    one, two = Chunk("a", "first"), Chunk("b", "second")
    state = rebuild([Queued((one,)), Queued((two,)), FileChosen("x", "add"), FileChosen("y", "add")])
    state = apply(state, FileChosen("x", "drop"))
    assert (state.queued, state.files) == ((one, two), (("y", "add"), ("x", "drop")))
    assert apply(state, TurnStarted("go")).queued == ()


def test_summaries_and_side_questions_count_toward_the_cost() -> None:
    summary = Summarized("so it was", 3, "m", Usage(5, 2), 0.25)
    state = rebuild([summary, Consulted("look", "m", Usage(7, 3), 0.5), Consulted("look", "m")])
    assert (state.summary, state.usage, state.usd) == (summary, Usage(12, 5), 0.75)


def test_a_result_lost_from_a_damaged_log_becomes_a_failed_result() -> None:
    state = rebuild([TurnStarted("go"), ReplyReceived(ASKED), ToolFinished(ToolResult("a", "one")), StepFinished(1)])
    assert state.turn.steps[0].results == (ToolResult("a", "one"), ToolResult("b", NO_RESULT, ok=False))


ENDS: tuple[Outcome, ...] = ("interrupted", "failed")


@given(st.integers(0, 6), st.sampled_from(ENDS), st.text(max_size=5))
@example(1, "failed", " \n")
def test_a_turn_torn_anywhere_is_closed_whole(cut: int, outcome: Outcome, said: str) -> None:
    events: list[Kept] = [
        TurnStarted("go"),
        ReplyReceived(ASKED),
        ToolFinished(ToolResult("a", "one")),
        ToolFinished(ToolResult("b", "two")),
        StepFinished(1),
        ReplyReceived(Reply("done")),
    ]
    state = rebuild(events[:cut])
    for event in closing_events(state, outcome, said=said):
        state = apply(state, event)
    assert not state.running
    assert state.pending is None
    steps = state.conversation.turns[0].steps if cut else ()
    for step in steps:
        assert [result.call_id for result in step.results] == [call.id for call in step.reply.calls]
    if cut in (2, 3):
        assert steps[0].results[-1].text == NOT_RUN
    if cut == 1:
        assert steps == ((Step(Reply(said, stop="interrupted")),) if said.strip() else ())
    assert closing_events(state, "interrupted") == []


def test_nothing_is_closed_when_nothing_runs() -> None:
    assert closing_events(State(), "interrupted") == []
