"""Forecasts the next fold: when it comes at the present pace, by the policy that will decide it, and what it costs."""

from __future__ import annotations

from collections.abc import Sequence

from ctxe.context.compact import FoldPolicy, FoldRoom, fold_cause
from ctxe.context.cost import request_usd
from ctxe.context.fold import whole_steps
from ctxe.domain.conversation import Conversation
from ctxe.domain.model import Prices
from ctxe.domain.past import Forecast

FAR = 200
"""Steps to look ahead."""


def forecast(
    room: FoldRoom,
    conversation: Conversation,
    policy: FoldPolicy,
    size: int,
    grown: Sequence[int],
    prices: Prices | None,
) -> Forecast:
    """The next fold after a request of ``size`` tokens, if each step adds the mean of ``grown`` tokens.

    The price of a fold is that of writing what it keeps; what precedes the conversation is still read from the cache.
    """
    pace = max(0, round(sum(grown) / len(grown))) if grown else 0
    steps = _steps(conversation, room, policy, size, pace)
    line = size + steps * pace if steps else room.fold_line(policy)
    if prices is None:
        return Forecast(steps, line, pace)
    fold_usd = request_usd(room.target(policy), room.standing, prices)
    return Forecast(steps, line, pace, fold_usd, request_usd(size + pace, size, prices))


def _steps(conversation: Conversation, room: FoldRoom, policy: FoldPolicy, size: int, pace: int) -> int | None:
    """Steps until a fold is due; None when that is further than FAR."""
    done, whole = sum(1 for _ in conversation.steps()), whole_steps(conversation)
    for more in range(1, FAR + 1):
        if fold_cause(size + more * pace, whole + more, room, policy, done + more):
            return more
    return None
