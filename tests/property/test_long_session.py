"""Two hundred steps at real prices, through the real folds and the real assembler: what folding saves."""

from __future__ import annotations

from tests.property.billing import GROWTH, HEAD, STEPS, billed


def test_folding_saves_most_of_the_cost_of_a_long_session() -> None:
    bill = billed()
    assert bill.whole >= HEAD + STEPS * GROWTH
    assert bill.folds > 3
    assert bill.folded <= 0.07 * bill.plain
    assert bill.folded <= 0.65 * bill.grown
