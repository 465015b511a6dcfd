"""When the past gives way, and to what size: the policy of folds.

Every call pays for everything that stands, a fold pays once for what it writes anew. So a fold pays when
``read price * freed * calls expected > write surcharge * kept + what will have to be read again``: with prices of 0.1
and 1.25 and some 40 calls to come, when about twice what is kept has come together. What is kept has to grow with the
window, but slower: large windows rot, and cost on every call, before they are full (docs/decisions/0010).
"""

from __future__ import annotations

from dataclasses import dataclass

LEAST_FREED = 0.10
"""A fold that would free less of what stands is not worth a new epoch."""

WHOLE, BEYOND = 28_000, 0.45
"""Of the first so many usable tokens everything is used before folding pays, of what is beyond so much.

Replay benchmark, 61 sessions: at 64k this costs 15 % less than filling the window, for 0.6 points of retention."""

LEAST_KEPT = 4_000
"""Tokens that are kept whatever the window: below that a record cannot hold the names in use."""

MOST_KEPT = 0.75
"""Of a small window no more is kept, or the next fold is due at once."""


@dataclass(frozen=True, slots=True)
class FoldPolicy:
    """The knobs of `[fold]`. ``at`` and ``to`` are shares of what is usable beyond the standing head.

    ``at``: a request above it is folded whether it pays or not. ``to``: what is kept, beside a fixed ``LEAST_KEPT``.
    ``keep_recent`` is the least number of newest steps that stay whole; ``record_share`` what part of the room after a
    fold is the record's, the rest is for newest steps. ``target_tokens`` (0: none) is a lower line for every window.
    """

    at: float = 1.0
    to: float = 0.36
    keep_recent: int = 1
    record_share: float = 0.75
    target_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Room:
    """What a request may hold, and the part of it that no fold can shrink: system, tools, first words (tokens)."""

    usable: int
    standing: int

    def line(self, policy: FoldPolicy) -> int:
        """Tokens of a request above which it is folded."""
        return min(self.full(policy), self.paying, policy.target_tokens or self.usable)

    def full(self, policy: FoldPolicy) -> int:
        """Tokens above which a request is folded whatever it costs."""
        return self.standing + int(policy.at * max(0, self.usable - self.standing))

    @property
    def paying(self) -> int:
        """Tokens above which folding pays."""
        return min(self.usable, WHOLE) + int(BEYOND * max(0, self.usable - WHOLE))

    def target(self, policy: FoldPolicy) -> int:
        """Tokens of a request right after a fold."""
        free = max(0, self.line(policy) - self.standing)
        return self.standing + int(min(MOST_KEPT * free, LEAST_KEPT + policy.to * free))


def due(size: int, room: Room, policy: FoldPolicy) -> str | None:
    """Why the next request, of ``size`` tokens, must fold first; None when it must not."""
    if size <= room.line(policy):
        return None
    return "overflow" if size > room.usable else "threshold" if size > room.full(policy) else "price"


def worth_folding(before: int, after: int, cause: str) -> bool:
    """True when a fold frees enough, or when the request would not fit without it."""
    return cause in {"overflow", "request"} or before - after >= LEAST_FREED * before
