"""Texts generated from a seed; some contain an earlier one, like a file that is read again."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

AGAIN = 0.15
"""The fraction of texts that contain an earlier one."""


class Teller:
    """Generates texts of at most ``lines`` lines of ``names``; ``huge`` is the fraction that is many times longer."""

    def __init__(self, seed: int, names: Sequence[str], lines: int, huge: float) -> None:
        self.random = Random(seed)
        self.names, self.lines, self.huge = names, lines, huge
        self.told: list[str] = []

    def line(self) -> str:
        return " ".join(self.random.choices(self.names, k=self.random.randint(0, 6)))

    def text(self) -> str:
        """Some lines; of files that are read again the same ones, some in front or behind."""
        times = 16 if self.huge and self.random.random() < self.huge else 1
        lines = [self.line() for _ in range(times * self.random.randint(0, self.lines))]
        if self.told and self.random.random() < AGAIN:
            lines.insert(self.random.choice((0, len(lines))), self.random.choice(self.told))
        self.told.append("\n".join(lines))
        return self.told[-1]
