"""Which of a model's own blocks (see Reply.carry) go back to it: those that it made and that still hold."""

from __future__ import annotations

from ctxe.domain.conversation import BEGINNING, Position, Reply
from ctxe.domain.value import dataclass


@dataclass(frozen=True, slots=True)
class ReplyBlocks:
    """The blocks of replies by ``model`` that were made ``since`` a place; without a model, those of every reply."""

    model: str = ""
    since: Position = BEGINNING

    def goes_back(self, reply: Reply, at: Position) -> bool:
        """Whether what the reply of the step after ``at`` carries is sent."""
        return not self.model or (reply.model == self.model and at >= self.since)


EVERY = ReplyBlocks()
