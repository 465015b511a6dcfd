"""Which provider-specific blocks (``Reply.carry``) are sent back to a model: its own that are still valid."""

from __future__ import annotations

from ctxe.domain.conversation import BEGINNING, Position, Reply
from ctxe.domain.value import dataclass


@dataclass(frozen=True, slots=True)
class ReplyBlocks:
    """Selects the replies of ``model`` made from ``since`` on; without a model, every reply."""

    model: str = ""
    since: Position = BEGINNING

    def goes_back(self, reply: Reply, at: Position) -> bool:
        """True when the blocks that ``reply``, the step at position ``at``, carries are sent."""
        return not self.model or (reply.model == self.model and at >= self.since)


EVERY = ReplyBlocks()
