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
from ctxe.domain.picture import Picture
from ctxe.domain.section import Chunk, Priority, Section


def step(number: int, *touches: Touch) -> Step:
    call = ToolCall(f"c{number}", "run_command", "{}")
    return Step(Reply("", (call,)), (ToolResult(call.id, "done", touches=touches),))


ONE, TWO, THREE = (
    step(1, Touch("a.py", "edit"), Touch("b.py", "read")),
    step(2, Touch("a.py", "read"), Touch("c.py", "create")),
    step(3, Touch("d.py", "delete"), Touch("a.py", "edit")),
)
TALK = Conversation((Turn("first", (), (ONE, TWO)), Turn("no step yet"), Turn("then", (), (THREE,))))


def test_steps_are_listed_from_the_given_position() -> None:
    every = [(Position(0, 0), ONE), (Position(0, 1), TWO), (Position(2, 0), THREE)]
    assert list(TALK.steps()) == every
    for place in (Position(0, 1), Position(0, 2), Position(1, 0), Position(2, 1), Position(3, 0)):
        assert list(TALK.steps(place)) == [(at, one) for at, one in every if at >= place]


def test_positions_are_ordered_like_the_conversation() -> None:
    places = [Position(1, 0), Position(0, 3), Position(2, 0), Position(0, 0)]
    assert sorted(places) == [BEGINNING, Position(0, 3), Position(1, 0), Position(2, 0)]


def test_a_fold_ends_at_its_position_and_without_one_at_the_beginning() -> None:
    assert TALK.upto == BEGINNING
    assert Conversation(TALK.turns, Fold(Position(0, 1))).upto == Position(0, 1)


def test_changed_files_are_the_touched_files_that_were_not_only_read() -> None:
    assert TALK.turns[0].changed() == ("a.py", "c.py")
    assert TALK.turns[1].changed() == ()
    assert TALK.changed() == ("a.py", "c.py", "d.py")


def test_a_picture_stands_as_often_as_it_was_shown_and_not_where_a_fold_masks_it() -> None:
    one, two = Picture("1" * 32, "one.png", "image/png", 8, 8, 9), Picture("2" * 32, "two.png", "image/png", 8, 8, 9)
    given = Section("asides", Priority.TASK, (Chunk("two.png", "[two]", "", picture=two),), "task")

    def looked(call: str) -> Step:
        return Step(Reply("", (ToolCall(call, "read_file", "{}"),)), (ToolResult(call, "[one]", picture=one),))

    talk = Conversation((Turn("look", (given,), (looked("a"), looked("b"))), Turn("again", (given,), (looked("c"),))))
    assert talk.pictures() == {two.handle: (two, 1), one.handle: (one, 1)}
    assert talk.standing_pictures() == (two, one, one, two, one)
    for upto, masks, seen in (
        (Position(0, 1), {}, (one, two, one)),
        (Position(0, 1), {"b": "[one]"}, (two, one)),
        (Position(1, 0), {"c": "[one]"}, (two,)),
        (Position(1, 1), {}, ()),
    ):
        assert Conversation(talk.turns, Fold(upto, masks=masks)).standing_pictures() == seen
