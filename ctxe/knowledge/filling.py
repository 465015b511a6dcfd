"""Fills a section with chunks as long as they fit, and notes what does not."""

from __future__ import annotations

from collections.abc import Callable

from ctxe.domain.section import Chunk, Omission
from ctxe.domain.value import dataclass, field

OVER = "over the memory share"


@dataclass(slots=True)
class Filling:
    """The chunks so far, the tokens that are left for more (``rest``), and what did not fit."""

    rest: int
    cost: Callable[[str], int]
    chunks: list[Chunk] = field(default_factory=list)
    left_out: list[Omission] = field(default_factory=list)

    def add(self, chunk: Chunk) -> None:
        """Add a chunk if it fits."""
        cost = self.cost(chunk.text)
        if cost <= self.rest:
            self.chunks.append(chunk)
            self.rest -= cost
        else:
            self.left_out.append(Omission(chunk.id, cost, OVER))
