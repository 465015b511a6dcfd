"""A failed output that was replaced by a note is shown again once a fold removed its original."""

from __future__ import annotations

from ctxe.context.budget import Budget
from ctxe.context.known_lines import ABOVE, FOLDED, VisibleLines
from ctxe.context.lost_lines import settle_references
from ctxe.context.tool_output import shown_output
from ctxe.domain.conversation import Conversation, Fold, Position, Reply, Step, ToolCall, ToolResult, Turn
from ctxe.domain.section import Chunk
from tests.support.counting import count_words

OUTPUT = "\n".join([*(f"FAILED tests/test_{n}.py::test_it - assert {n} == {n + 1}" for n in range(6)), "6 failed"])
BUDGET = Budget(16_000, 4_000)


def ran(talk: Conversation, number: int, text: str = OUTPUT, *, ok: bool = False) -> Conversation:
    """The conversation with one more run, told as it is born."""
    call = ToolCall(f"c{number}", "run_command", '{"command": "pytest"}')
    told = shown_output(text, "shell", BUDGET.window, count_words, VisibleLines().update(talk))
    step = Step(Reply("", (call,), "tools"), (ToolResult(call.id, told.text, ok, told.handle),))
    turn = talk.turns[0]
    return Conversation((Turn(turn.words, (), (*turn.steps, step)),), talk.fold)


def seen(talk: Conversation, fold: Fold) -> list[str]:
    results = [result for _, step in talk.steps(fold.upto) for result in step.results]
    return [fold.masks.get(result.call_id, result.text) for result in results]


def folded(talk: Conversation, upto: int, *record: Chunk) -> tuple[Fold, Fold]:
    fold = Fold(Position(0, upto), record, cause="price", tokens_after=100)
    return fold, settle_references(talk, fold, lambda _: OUTPUT, BUDGET, count_words)


def test_a_failure_note_is_replaced_by_the_error_when_its_original_was_folded() -> None:
    talk = ran(ran(Conversation((Turn("go"),)), 1), 2)
    assert ABOVE in seen(talk, Fold(Position(0, 1)))[0]
    before, after = folded(talk, 1)
    assert seen(talk, after) == [OUTPUT]
    assert after.tokens_after - before.tokens_after == count_words(OUTPUT) - count_words(seen(talk, before)[0])


def test_an_error_still_in_the_request_is_not_repeated() -> None:
    talk = ran(ran(ran(Conversation((Turn("go"),)), 1), 2), 3)
    before, after = folded(talk, 0)
    assert after is before
    assert [ABOVE in text for text in seen(talk, after)] == [False, True, True]
    recorded, same = folded(talk, 1, Chunk("record", OUTPUT))
    assert seen(talk, same) == seen(talk, recorded)
    _, one = folded(talk, 1)
    assert [ABOVE in text for text in seen(talk, one)] == [False, True]


def test_what_the_newest_step_asked_for_is_shown_again_where_its_lines_were_folded() -> None:
    talk = ran(ran(Conversation((Turn("go"),)), 1, ok=True), 2, ok=True)
    assert ABOVE in seen(talk, folded(talk, 1)[0])[0]
    assert seen(talk, folded(talk, 1)[1]) == [OUTPUT]


def test_a_result_that_is_not_shown_again_says_that_the_lines_are_folded() -> None:
    older = ran(ran(ran(Conversation((Turn("go"),)), 1, ok=True), 2, ok=True), 3, "nothing to see", ok=True)
    before, after = folded(older, 1)
    assert seen(older, after) == [seen(older, before)[0].replace(ABOVE, FOLDED), "nothing to see"]
    assert seen(older, after) != seen(older, before)
    talk = ran(ran(Conversation((Turn("go"),)), 1), 2)
    no_room = settle_references(talk, Fold(Position(0, 1)), lambda _: OUTPUT, Budget(60, 0), count_words)
    assert [FOLDED in text for text in seen(talk, no_room)] == [True]


def test_a_reference_to_lines_that_still_stand_above_stays_as_it_is() -> None:
    talk = ran(ran(ran(Conversation((Turn("go"),)), 1, ok=True), 2, ok=True), 3, ok=True)
    before, after = folded(talk, 0)
    assert after is before
    assert [ABOVE in text for text in seen(talk, after)] == [False, True, True]


def test_a_result_cut_by_the_fold_does_not_refer_to_folded_lines() -> None:
    talk = ran(ran(Conversation((Turn("go"),)), 1), 2)
    cut = Fold(Position(0, 1), masks={"c2": f"head\n[7{ABOVE}abc]\n[9 lines left out; recall def]"})
    masks = settle_references(talk, cut, lambda _: OUTPUT, BUDGET, count_words).masks
    assert masks == {"c2": f"head\n[7{FOLDED}abc]\n[9 lines left out; recall def]"}
