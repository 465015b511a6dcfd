"""Costs of context with a prompt cache: relative prices, and whether a fold pays."""

from __future__ import annotations

from collections.abc import Sequence

from ctxe.domain.conversation import Usage
from ctxe.domain.model import Prices
from ctxe.domain.value import dataclass

USUAL_CALLS = 40
"""Calls still to come when nothing is known of a project: real tasks take 40 to 100."""


@dataclass(frozen=True, slots=True)
class Billing:
    """Price of a cached and of a newly written input token, relative to an uncached input token."""

    read: float = 0.1
    write: float = 1.25

    @classmethod
    def of(cls, prices: Prices | None) -> Billing:
        """The prices of the catalog as ratios; the defaults for a model without prices."""
        if prices is None or prices.input <= 0:
            return cls()
        read = prices.input if prices.cache_read is None else prices.cache_read
        write = prices.input if prices.cache_write is None else prices.cache_write
        return cls(read / prices.input, write / prices.input)


def is_fold_cheaper(freed: int, kept: int, calls: float, billing: Billing) -> bool:
    """True when reading ``freed`` tokens in ``calls`` more calls costs more than rewriting ``kept`` tokens."""
    return billing.read * freed * calls > billing.write * kept


def calls_expected(past: Sequence[int], done: int) -> float:
    """Calls still to come after ``done``: the mean rest of the past sessions that were longer.

    When none was longer, as many again as were done (at most USUAL_CALLS); without past sessions, USUAL_CALLS.
    """
    rest = [calls - done for calls in past if calls > done]
    return sum(rest) / len(rest) if rest else float(min(USUAL_CALLS, max(done, 1)) if past else USUAL_CALLS)


def usual_calls(_done: int) -> float:
    """Calls still to come where past sessions are not counted."""
    return USUAL_CALLS


def request_usd(tokens: int, cached: int, prices: Prices) -> float:
    """US dollars for the input of one request: ``cached`` tokens are read from the cache, the rest is written to it."""
    return prices.cost(Usage(tokens, 0, min(cached, tokens), max(0, tokens - cached)))
