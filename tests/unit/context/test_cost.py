"""The costs of requests, and when a fold saves money."""

from __future__ import annotations

from ctxe.context.cost import USUAL_CALLS, Billing, calls_expected, is_fold_cheaper, request_usd
from ctxe.domain.model import Prices

REAL = Prices(3.0, 15.0, 0.30, 3.75)
"""US dollars per million tokens, as Anthropic and others bill in 2026."""


def test_billing_factors_are_relative_to_the_input_price() -> None:
    assert Billing.of(Prices(2.0, 8.0, 0.25, 2.5)) == Billing(0.125, 1.25)
    assert Billing.of(Prices(2.0, 8.0, 0.5)) == Billing(0.25, 1.0)
    assert Billing.of(Prices(2.0, 8.0)) == Billing(1.0, 1.0)
    assert Billing.of(None) == Billing()


def test_a_fold_pays_when_reading_costs_more_than_writing() -> None:
    assert not is_fold_cheaper(10_000, 10_000, 12, Billing())
    assert is_fold_cheaper(10_000, 10_000, 13, Billing())


def test_calls_expected_come_from_past_sessions() -> None:
    assert calls_expected([10, 30, 50], 20) == 20.0
    assert calls_expected([], 5) == USUAL_CALLS
    assert calls_expected([10], 20) == 20.0
    assert calls_expected([10], 200) == USUAL_CALLS


def test_a_request_costs_what_its_cached_and_its_new_tokens_cost() -> None:
    assert request_usd(100_000, 90_000, REAL) == (90_000 * 0.30 + 10_000 * 3.75) / 1_000_000
    assert request_usd(10, 20, REAL) == 10 * 0.30 / 1_000_000
