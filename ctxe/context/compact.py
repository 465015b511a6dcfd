"""When the past gives way, and to what size: the policy of folds.

Every call pays for everything that stands; a fold pays once for what it writes anew. Money alone would fold every dozen
steps and forget too much: where the line is drawn beyond that was set on recorded sessions (docs/decisions/0010).
"""

from __future__ import annotations

import math
from collections.abc import Callable

from ctxe.context.cost import Billing, pays, usual_calls
from ctxe.domain.value import dataclass

LEAST_FREED = 0.10
"""A fold that would free less of what stands is not worth a new epoch."""

WHOLE, BEYOND = 24_000, 0.37
"""Of the first so many usable tokens everything is used before folding pays, of what is beyond so much.

Reading what stands is most of what a large window costs: docs/folds-measured.md has what other lines cost and keep."""

LEAST_KEPT = 4_000
"""Tokens that are kept whatever the window: below that a record cannot hold the names in use."""

MIDDLE, MORE = (20_000, 50_000), 1.25
"""Of the free tokens between these a fold keeps so much more than ``to``: what folds lose in windows of this size is
files that were read long ago and are edited only now. Beyond, folds are so rare that it costs more than it keeps."""

MOST_KEPT = 0.9
"""Of a small window no more is kept, or the next fold is due at once."""

USUAL_SURCHARGE = 12.5
"""Write over read price for which the line was set (Billing's defaults). The best line is as far above what is kept as
the square root of this: its derivation is in docs/folds.md."""


@dataclass(frozen=True, slots=True)
class FoldPolicy:
    """The knobs of `[fold]`, and what the model costs. ``at`` and ``to`` are shares of what is usable beyond the head.

    ``at``: above it a request is folded whether that pays or not. ``to``: what is kept, beside a fixed ``LEAST_KEPT``.
    ``keep_recent`` is the least number of newest steps that stay whole; ``record_share`` what part of the room after a
    fold is the record's, the rest is for newest steps. ``target_tokens`` (0: none) is a lower line for every window.
    ``decay_after`` (0: off): of whole steps older than this only the ends of long outputs stay. ``window`` (0: off): a
    sliding window, at most so many whole steps stand. ``checkpoint_every`` (0: off): steps between a model's summaries.
    ``calls`` says how many are still to come after so many steps; it is asked only where money decides.
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
        """Newest steps that a fold keeps at most (0: as many as fit): half a sliding window, so that folds are rare."""
        return max(self.keep_recent, self.window // 2) if self.window else 0


@dataclass(frozen=True, slots=True)
class FoldRoom:
    """What a request may hold, and the part of it that no fold can shrink: system, tools, first words (tokens)."""

    usable: int
    standing: int

    def line(self, policy: FoldPolicy) -> int:
        """Tokens of a request above which it is folded."""
        return min(self.full(policy), self.paying(policy), policy.target_tokens or self.usable)

    def full(self, policy: FoldPolicy) -> int:
        """Tokens above which a request is folded whatever it costs."""
        return self.standing + int(policy.at * max(0, self.usable - self.standing))

    def paying(self, policy: FoldPolicy) -> int:
        """Tokens above which folding pays, at the prices of the model; never where reading what stands is free."""
        if policy.billing.read <= 0:
            return self.usable
        line = min(self.usable, WHOLE) + int(BEYOND * max(0, self.usable - WHOLE))
        kept = self._kept(line, policy)
        surcharge = policy.billing.write / policy.billing.read / USUAL_SURCHARGE
        return min(self.usable, kept + int((line - kept) * math.sqrt(surcharge)))

    def target(self, policy: FoldPolicy) -> int:
        """Tokens of a request right after a fold."""
        return self._kept(self.line(policy), policy)

    def _kept(self, line: int, policy: FoldPolicy) -> int:
        free = max(0, line - self.standing)
        middle = max(0, min(free, MIDDLE[1]) - MIDDLE[0])
        wanted = LEAST_KEPT + policy.to * (free + (MORE - 1) * middle)
        return self.standing + int(min(MOST_KEPT * free, wanted))


def due(size: int, steps: int, room: FoldRoom, policy: FoldPolicy, done: int = 0) -> str | None:
    """Why the next request, of ``size`` tokens and ``steps`` whole steps, must fold first; None when it need not.

    ``done`` are all steps so far, folded or not.
    """
    if size > room.usable:
        return "overflow"
    if size > min(room.full(policy), policy.target_tokens or room.usable):
        return "threshold"
    if policy.window and steps > policy.window:
        return "window"
    if size <= room.paying(policy):
        return None
    kept = room.target(policy)
    return "price" if pays(size - kept, kept - room.standing, policy.calls(done), policy.billing) else None


def worth_folding(before: int, after: int, cause: str) -> bool:
    """True when a fold frees enough, or anything at all where the request would not fit or a person asks for it."""
    freed = before - after
    return freed > 0 and (cause in {"overflow", "request"} or freed >= LEAST_FREED * before)


def checkpoint_due(steps: int, policy: FoldPolicy) -> bool:
    """True when a model should be asked for a summary: so many steps came since the last one."""
    return 0 < policy.checkpoint_every <= steps
