"""The forecast of the next fold comes from the policy that decides it."""

from __future__ import annotations

from dataclasses import replace

from ctxe.context.assemble import Frame
from ctxe.context.budget import Budget
from ctxe.context.compact import FoldPolicy, fold_cause
from ctxe.context.cost import request_usd
from ctxe.context.fold import fold_room
from ctxe.context.forecast import FAR, forecast
from ctxe.domain.conversation import Conversation, Reply, Step, Turn
from ctxe.domain.model import Prices
from ctxe.domain.past import Forecast
from ctxe.domain.section import Chunk, Priority, Section

REAL = Prices(3.0, 15.0, 0.30, 3.75)
RULES = Section("rules", Priority.SYSTEM, (Chunk("rules", "r" * 999),), "system")
FRAME, BUDGET = Frame((), (RULES,)), Budget(204_000, 4_000)
TALK = Conversation((Turn("go", (), (Step(Reply("a")), Step(Reply("b")))),))
ROOM = fold_room(FRAME, TALK, BUDGET.usable, len)


USUAL = FoldPolicy()


def ahead(size: int, *grown: int, policy: FoldPolicy = USUAL, prices: Prices | None = None) -> Forecast:
    return forecast(ROOM, TALK, policy, size, grown, prices)


def test_the_forecast_says_when_the_next_fold_is_due() -> None:
    policy, room = FoldPolicy(), ROOM
    found = ahead(60_000, 1_000, 3_000, policy=policy)
    assert found.steps is not None
    assert (found.pace, found.line) == (2_000, 60_000 + 2_000 * found.steps)
    assert fold_cause(found.line, 2 + found.steps, room, policy)
    assert not fold_cause(found.line - found.pace, 1 + found.steps, room, policy)


def test_a_fold_for_cost_is_postponed_when_few_calls_remain() -> None:
    many = forecast(ROOM, TALK, FoldPolicy(calls=lambda _: 60.0), 60_000, [2_000], None)
    few = forecast(ROOM, TALK, FoldPolicy(calls=lambda _: 1.0), 60_000, [2_000], None)
    assert many.steps is not None
    assert few.steps is not None
    assert (many.steps < few.steps, few.line) == (True, 202_000)


def test_the_forecast_respects_target_tokens_and_a_sliding_window() -> None:
    assert ahead(60_000, 2_000, policy=FoldPolicy(target_tokens=65_000)).steps == 3
    assert ahead(10_000, 10, policy=FoldPolicy(window=6)).steps == 5
    assert ahead(199_900, 1_000).steps == 1


def test_the_forecast_cost_is_writing_the_folded_request_and_the_next_one() -> None:
    room, policy = ROOM, FoldPolicy()
    found = ahead(60_000, 2_000, prices=REAL)
    fold_usd = request_usd(room.target(policy), ROOM.standing, REAL)
    assert found == replace(ahead(60_000, 2_000), fold_usd=fold_usd, next_usd=request_usd(62_000, 60_000, REAL))


def test_without_a_growth_rate_only_the_fold_line_is_known() -> None:
    line = ROOM.fold_line(FoldPolicy())
    assert ahead(60_000) == Forecast(None, line, 0)
    assert ahead(20_000, -500) == Forecast(None, line, 0)
    assert ahead(20_000, (line - 20_000) // FAR - 10).steps is None
