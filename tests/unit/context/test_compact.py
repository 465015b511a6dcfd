"""When a fold is due, and how much it keeps: the effect of every setting."""

from __future__ import annotations

import json

import pytest

from ctxe.context.compact import LEAST_KEPT, FoldPolicy, FoldRoom, checkpoint_due, fold_cause, worth_folding
from ctxe.context.cost import Billing
from ctxe.context.fold import fold
from ctxe.domain.conversation import Conversation, Fold, Position, Reply, Step, ToolCall, ToolResult, Turn
from tests.support.counting import count_words

ROOM = FoldRoom(20_000, 1_000)
LARGE = FoldRoom(200_000, 6_000)


def talk(steps: int, size: int = 50) -> Conversation:
    made = []
    for n in range(steps):
        body = "\n".join(f"value_{n}_{k} = compute" for k in range(size // 3))
        call = ToolCall(f"c{n}", "read", json.dumps({"path": f"src/f{n}.py"}))
        made.append(Step(Reply("", (call,)), (ToolResult(f"c{n}", body),)))
    return Conversation((Turn("go", (), tuple(made)),))


def folded(policy: FoldPolicy, steps: int = 40, usable: int = 4_000, size: int = 50) -> Fold:
    return fold(talk(steps, size), FoldRoom(usable, 10), policy, count_words)


def test_a_small_window_is_used_up_before_anything_is_folded() -> None:
    assert fold_cause(20_000, 5, ROOM, FoldPolicy()) is None
    assert fold_cause(20_001, 5, ROOM, FoldPolicy()) == "overflow"


def test_a_large_window_is_folded_when_that_pays() -> None:
    line = LARGE.paying_line(FoldPolicy())
    assert 80_000 < line < 100_000
    assert fold_cause(line, 5, LARGE, FoldPolicy()) is None
    assert fold_cause(line + 1, 5, LARGE, FoldPolicy()) == "price"


def test_no_fold_for_money_when_the_session_is_about_to_end() -> None:
    line = LARGE.paying_line(FoldPolicy())
    assert fold_cause(line + 1, 5, LARGE, FoldPolicy(calls=lambda _: 2.0)) is None
    assert fold_cause(line + 1, 5, LARGE, FoldPolicy(calls=lambda _: 30.0)) == "price"


def test_fold_at_is_the_share_of_the_window_above_which_a_fold_is_due() -> None:
    policy = FoldPolicy(at=0.7)
    assert ROOM.full_line(policy) == 1_000 + 13_300
    assert fold_cause(14_300, 5, ROOM, policy) is None
    assert fold_cause(14_301, 5, ROOM, policy) == "threshold"


def test_a_fold_keeps_a_quarter_more_of_the_free_room_of_a_middling_window() -> None:
    def kept(free: int) -> int:
        return FoldRoom(free, 0).target(FoldPolicy(to=0.4, billing=Billing(0.0, 1.0)))

    assert kept(20_000) == 4_000 + 8_000
    assert kept(30_000) == 4_000 + 8_000 + 5_000
    assert kept(150_000) == 4_000 + 60_000 + 3_000


def test_target_tokens_sets_an_earlier_fold_line_for_every_window() -> None:
    policy = FoldPolicy(target_tokens=9_000)
    assert fold_cause(9_000, 5, LARGE, policy) is None
    assert fold_cause(9_001, 5, LARGE, policy) == "threshold"
    assert LARGE.target(policy) < 9_000


@pytest.mark.parametrize(("to", "kept"), [(0.2, 1_000 + LEAST_KEPT + 3_800), (0.6, 1_000 + LEAST_KEPT + 11_400)])
def test_fold_to_is_the_share_kept_above_the_minimum(to: float, kept: int) -> None:
    assert ROOM.target(FoldPolicy(to=to)) == kept


def test_a_folded_request_leaves_room_in_a_small_window() -> None:
    assert FoldRoom(5_000, 1_000).target(FoldPolicy()) == 1_000 + 3_600


def test_record_share_divides_the_kept_room() -> None:
    sizes = {}
    for share in (0.5, 0.9):
        made = folded(FoldPolicy(record_share=share))
        sizes[share] = (40 - made.upto.step, count_words(made.record[-1].text))
    assert sizes[0.5][0] > sizes[0.9][0]
    assert sizes[0.5][1] < sizes[0.9][1]


def test_the_configured_recent_steps_stay_whole_at_any_size() -> None:
    assert folded(FoldPolicy(keep_recent=1), 10, 200).upto == Position(0, 9)
    assert folded(FoldPolicy(keep_recent=4), 10, 200).upto == Position(0, 6)


def test_a_sliding_window_folds_by_steps_and_keeps_half() -> None:
    policy = FoldPolicy(window=8)
    assert fold_cause(100, 8, ROOM, policy) is None
    assert fold_cause(100, 9, ROOM, policy) == "window"
    assert folded(policy, 9).upto == Position(0, 5)
    assert folded(FoldPolicy(window=8, keep_recent=6), 9).upto == Position(0, 3)
    assert folded(FoldPolicy(window=1), 9).upto == folded(FoldPolicy(window=2), 9).upto == Position(0, 8)


def test_outputs_decay_after_the_configured_number_of_steps() -> None:
    policy = FoldPolicy(decay_after=2, keep_recent=4)
    made = folded(policy, 10, 20_000, size=1_500)
    assert list(made.masks) == [f"c{n}" for n in range(made.upto.step, 8)]
    assert all(count_words(mask) <= 400 and f"recall {handle}" in mask for handle, mask in made.masks.items())
    assert folded(FoldPolicy(decay_after=0, keep_recent=4), 10, 20_000, size=1_500).masks == {}


def test_checkpoints_come_every_configured_number_of_steps() -> None:
    assert not checkpoint_due(50, FoldPolicy())
    assert [checkpoint_due(n, FoldPolicy(checkpoint_every=10)) for n in (9, 10, 11)] == [False, True, True]


def test_a_fold_that_frees_nothing_is_not_made() -> None:
    assert not worth_folding(1_000, 901, "price")
    assert worth_folding(1_000, 900, "price")
    assert worth_folding(1_000, 999, "overflow")
    assert worth_folding(1_000, 999, "request")


def test_no_fold_pays_when_cached_reading_is_free() -> None:
    free = FoldPolicy(billing=Billing(0.0, 1.0))
    assert LARGE.paying_line(free) == LARGE.usable
    assert fold_cause(LARGE.usable, 5, LARGE, free) is None
    assert fold_cause(LARGE.usable + 1, 5, LARGE, free) == "overflow"


def test_an_expensive_cache_folds_earlier() -> None:
    usual = LARGE.paying_line(FoldPolicy())
    none = LARGE.paying_line(FoldPolicy(billing=Billing(1.0, 1.0)))
    assert LARGE.target(FoldPolicy()) < none < usual
