"""What is to come: when the next fold begins at the present pace, by the policy that will decide it, and its price."""

from __future__ import annotations

from collections.abc import Sequence

from ctxe.context.compact import FoldPolicy, FoldRoom, due
from ctxe.context.cost import request_usd
from ctxe.context.fold import whole_steps
from ctxe.domain.conversation import Conversation
from ctxe.domain.model import Prices
from ctxe.domain.past import Forecast

FAR = 200
"""Steps beyond which nobody plans."""


def forecast(
    room: FoldRoom,
    conversation: Conversation,
    policy: FoldPolicy,
    size: int,
    grown: Sequence[int],
    prices: Prices | None,
) -> Forecast:
    """The steps from a request of ``size`` tokens to the next fold when each adds what the ones in ``grown`` added.

    A fold's price is that of writing what it keeps; what stands before the conversation is read from the cache as
    before.
    """
    pace = max(0, round(sum(grown) / len(grown))) if grown else 0
    steps = _steps(conversation, room, policy, size, pace)
    line = size + steps * pace if steps else room.line(policy)
    if prices is None:
        return Forecast(steps, line, pace)
    fold_usd = request_usd(room.target(policy), room.standing, prices)
    return Forecast(steps, line, pace, fold_usd, request_usd(size + pace, size, prices))


def _steps(conversation: Conversation, room: FoldRoom, policy: FoldPolicy, size: int, pace: int) -> int | None:
    """After how many steps a fold will be due; None when that is far off."""
    done, whole = sum(1 for _ in conversation.steps()), whole_steps(conversation)
    for more in range(1, FAR + 1):
        if due(size + more * pace, whole + more, room, policy, done + more):
            return more
    return None
