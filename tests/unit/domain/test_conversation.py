"""Where a conversation's fold ends, which steps stand after it, and which files its tools changed."""

from __future__ import annotations

from ctxe.domain.conversation import (
    BEGINNING,
    Conversation,
    Fold,
    Position,
    Reply,
    Step,
    ToolCall,
    ToolResult,
    Touch,
    Turn,
)


def step(number: int, *touches: Touch) -> Step:
    call = ToolCall(f"c{number}", "run_command", "{}")
    return Step(Reply("", (call,)), (ToolResult(call.id, "done", touches=touches),))


ONE, TWO, THREE = (
    step(1, Touch("a.py", "edit"), Touch("b.py", "read")),
    step(2, Touch("a.py", "read"), Touch("c.py", "create")),
    step(3, Touch("d.py", "delete"), Touch("a.py", "edit")),
)
TALK = Conversation((Turn("first", (), (ONE, TWO)), Turn("no step yet"), Turn("then", (), (THREE,))))


def test_steps_begin_where_they_are_asked_from() -> None:
    every = [(Position(0, 0), ONE), (Position(0, 1), TWO), (Position(2, 0), THREE)]
    assert list(TALK.steps()) == every
    for place in (Position(0, 1), Position(0, 2), Position(1, 0), Position(2, 1), Position(3, 0)):
        assert list(TALK.steps(place)) == [(at, one) for at, one in every if at >= place]


def test_places_stand_in_the_order_of_what_was_said() -> None:
    places = [Position(1, 0), Position(0, 3), Position(2, 0), Position(0, 0)]
    assert sorted(places) == [BEGINNING, Position(0, 3), Position(1, 0), Position(2, 0)]


def test_a_fold_ends_where_it_says_and_no_fold_at_the_beginning() -> None:
    assert TALK.upto == BEGINNING
    assert Conversation(TALK.turns, Fold(Position(0, 1))).upto == Position(0, 1)


def test_changed_files_are_those_that_were_not_only_read() -> None:
    assert TALK.turns[0].changed() == ("a.py", "c.py")
    assert TALK.turns[1].changed() == ()
    assert TALK.changed() == ("a.py", "c.py", "d.py")
