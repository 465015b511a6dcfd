"""The fold policy: when history is folded, and to what size.

Every call pays for reading the whole context; a fold pays once for what it rewrites. By price alone, folds would come
every dozen steps and forget too much. How far above that the line is drawn was set on recorded sessions
(docs/decisions/0010).
"""

from __future__ import annotations

import math
from collections.abc import Callable

from ctxe.context.cost import Billing, is_fold_cheaper, usual_calls
from ctxe.domain.value import dataclass

LEAST_FREED = 0.10
"""Least part of a request that a fold must free to be worth a new epoch."""

WHOLE, BEYOND = 24_000, 0.37
"""Folding begins to pay when a request exceeds the first WHOLE usable tokens plus BEYOND of those above.

Reading the context is most of what a large window costs: docs/folds-measured.md shows what other lines cost and keep.
"""

LEAST_KEPT = 4_000
"""Tokens kept whatever the window: with fewer, a record cannot hold the names in use."""

MIDDLE, MORE = (20_000, 50_000), 1.25
"""Of the free tokens in the range MIDDLE a fold keeps MORE times ``to``. In windows of this size folds lose files that
were read long ago and are edited only now. Above it, folds are so rare that keeping more costs more than it saves.
"""

MOST_KEPT = 0.9
"""Largest part of the free tokens that a fold keeps: in a small window, more would make the next fold due at once."""

USUAL_SURCHARGE = 12.5
"""Ratio of write to read price for which WHOLE and BEYOND were set (the defaults of Billing). The best line is above
the kept tokens by an amount proportional to the square root of this ratio: docs/folds.md derives it.
"""


@dataclass(frozen=True, slots=True)
class FoldPolicy:
    """The settings of `[fold]` and the model's prices; ``at`` and ``to`` are shares of what is usable after the head.

    ``at``: a larger request is folded whether that pays or not. ``to``: what a fold keeps, on top of a fixed
    LEAST_KEPT. ``keep_recent``: least number of newest steps that stay whole. ``record_share``: the record's part of
    the room after a fold; the rest is for the newest steps. ``target_tokens`` (0: none): a lower line for every window.
    ``decay_after`` (0: off): whole steps older than this keep only the ends of long outputs. ``window`` (0: off): a
    sliding window of at most this many whole steps. ``checkpoint_every`` (0: off): steps between summaries written by a
    model. ``calls`` maps the steps done to the number of calls expected; it is called only where the price decides.
    """

    at: float = 1.0
    to: float = 0.6
    keep_recent: int = 1
    record_share: float = 0.85
    target_tokens: int = 0
    decay_after: int = 12
    window: int = 0
    checkpoint_every: int = 0
    billing: Billing = Billing()
    calls: Callable[[int], float] = usual_calls

    @property
    def most_steps(self) -> int:
        """Most newest steps that a fold keeps (0: as many as fit): half a sliding window, so that folds stay rare."""
        return max(self.keep_recent, self.window // 2) if self.window else 0


@dataclass(frozen=True, slots=True)
class FoldRoom:
    """Tokens a request may hold, and the part that no fold can shrink: system prompt, tools, first user message."""

    usable: int
    standing: int

    def fold_line(self, policy: FoldPolicy) -> int:
        """Request size in tokens above which it is folded: the lowest of the lines."""
        return min(self.full_line(policy), self.paying_line(policy), policy.target_tokens or self.usable)

    def full_line(self, policy: FoldPolicy) -> int:
        """Request size in tokens above which it is folded whatever the price."""
        return self.standing + int(policy.at * max(0, self.usable - self.standing))

    def paying_line(self, policy: FoldPolicy) -> int:
        """Request size in tokens above which folding pays; ``usable`` where cached reads are free."""
        if policy.billing.read <= 0:
            return self.usable
        line = min(self.usable, WHOLE) + int(BEYOND * max(0, self.usable - WHOLE))
        kept = self._kept(line, policy)
        surcharge = policy.billing.write / policy.billing.read / USUAL_SURCHARGE
        return min(self.usable, kept + int((line - kept) * math.sqrt(surcharge)))

    def target(self, policy: FoldPolicy) -> int:
        """Request size in tokens right after a fold."""
        return self._kept(self.fold_line(policy), policy)

    def _kept(self, line: int, policy: FoldPolicy) -> int:
        free = max(0, line - self.standing)
        middle = max(0, min(free, MIDDLE[1]) - MIDDLE[0])
        wanted = LEAST_KEPT + policy.to * (free + (MORE - 1) * middle)
        return self.standing + int(min(MOST_KEPT * free, wanted))


def fold_cause(size: int, steps: int, room: FoldRoom, policy: FoldPolicy, done: int = 0) -> str | None:
    """Why the next request must be folded first ("overflow", "threshold", "window", "price"); None when it need not be.

    ``size`` are its tokens, ``steps`` its whole steps, ``done`` all steps so far, folded or not.
    """
    if size > room.usable:
        return "overflow"
    if size > min(room.full_line(policy), policy.target_tokens or room.usable):
        return "threshold"
    if policy.window and steps > policy.window:
        return "window"
    if size <= room.paying_line(policy):
        return None
    kept = room.target(policy)
    return "price" if is_fold_cheaper(size - kept, kept - room.standing, policy.calls(done), policy.billing) else None


def worth_folding(before: int, after: int, cause: str) -> bool:
    """True when a fold frees LEAST_FREED, or anything when the request would not fit or a person asks for it."""
    freed = before - after
    return freed > 0 and (cause in {"overflow", "request"} or freed >= LEAST_FREED * before)


def checkpoint_due(steps: int, policy: FoldPolicy) -> bool:
    """True when a model should write a summary: ``steps`` came since the last one."""
    return 0 < policy.checkpoint_every <= steps
