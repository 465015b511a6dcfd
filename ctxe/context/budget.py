"""The token budget of one request: the window, the reserve for the reply, and the share of each kind of context."""

from __future__ import annotations

from collections.abc import Mapping

from ctxe.domain.section import ShareName
from ctxe.domain.value import dataclass, field

MOST_RESERVED = 20_000
THOUGHTS: Mapping[str, int] = {"high": 12_000, "xhigh": 44_000, "max": 44_000}
"""Tokens reserved on top of MOST_RESERVED at high efforts: thinking counts as output.

Anthropic advises 64,000 tokens of output for its two highest efforts.
"""
LEAST_RESERVED = 4_096


@dataclass(frozen=True, slots=True)
class Share:
    """A part of the usable tokens: a fraction of them, and at most ``most`` tokens (0: no other limit)."""

    fraction: float
    most: int = 0

    def of(self, usable: int) -> int:
        """Tokens of this share."""
        return int(self.exact(usable))

    def exact(self, usable: int) -> float:
        """The share before rounding: rounded one by one, several shares could grow faster than the budget itself."""
        room = usable * self.fraction
        return min(room, float(self.most)) if self.most else room


DEFAULT_SHARES: Mapping[ShareName, Share] = {
    "memory": Share(0.05, 2_500),
    "instructions": Share(0.10, 8_000),
    "skills": Share(0.10),
    "files": Share(0.20, 20_000),
}


def reserve_for(window: int, max_output: int, effort: str = "") -> int:
    """Tokens kept free for the reply: min(output limit, 20,000, window/4), at least min(4,096, window/4).

    A high ``effort`` adds its THOUGHTS to the 20,000.
    """
    most = MOST_RESERVED + THOUGHTS.get(effort, 0)
    return max(min(max_output, most, window // 4), min(LEAST_RESERVED, window // 4))


def birth_limit(kind: str, window: int) -> int:
    """Most tokens of one tool output: 1/16 of the window for a read, recall or report, 1/32 for a command or search.

    A web page gets 1/16 and at most 8,000, since most of a page is about something else. Replay benchmark, 34 sessions:
    at 32k this costs 6 % less than 1/9 of the window and loses no more; at 64k it loses less.
    """
    part, least, most = (16, 1_500, 20_000) if kind in ("read", "recalled") else (32, 750, 10_000)
    if kind in ("other", "page"):
        part, most = 16, 8_000 if kind == "page" else 20_000
    return max(least, min(most, window // part))


@dataclass(frozen=True, slots=True)
class Budget:
    """Window and reserve in tokens, and the shares of the usable rest."""

    window: int
    reserve: int
    shares: Mapping[ShareName, Share] = field(default_factory=lambda: DEFAULT_SHARES)

    @property
    def usable(self) -> int:
        """Tokens that a request may hold."""
        return max(0, self.window - self.reserve)

    def room(self, share: ShareName) -> int:
        """Tokens of one share."""
        return self.shares[share].of(self.usable)
