"""When the past gives way, and to what size: the policy of folds."""

from __future__ import annotations

from dataclasses import dataclass

LEAST_FREED = 0.10
"""A fold that would free less of what stands is not worth a new epoch."""


@dataclass(frozen=True, slots=True)
class FoldPolicy:
    """The knobs of `[fold]`. ``at`` and ``to`` are shares of what is usable beyond the standing head.

    ``keep_recent`` is the least number of newest steps that stay whole; ``record_share`` what part of the room after a
    fold is the record's, the rest is for newest steps. ``target_tokens`` (0: none) lowers the line of large windows.
    """

    at: float = 1.0
    to: float = 0.45
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
        line = self.standing + int(policy.at * max(0, self.usable - self.standing))
        return min(line, policy.target_tokens) if policy.target_tokens else line

    def target(self, policy: FoldPolicy) -> int:
        """Tokens of a request right after a fold."""
        return self.standing + int(policy.to * max(0, self.line(policy) - self.standing))


def due(size: int, room: Room, policy: FoldPolicy) -> str | None:
    """Why the next request, of ``size`` tokens, must fold first; None when it must not."""
    if size <= room.line(policy):
        return None
    return "overflow" if size > room.usable else "threshold"
