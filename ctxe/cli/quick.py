"""Plain command lines read without Typer, which takes a quarter of what a short command may take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ctxe.domain.value import dataclass

DIGITS = 18
"""Digits of a number that is no slip."""


def _words(word: str) -> bool:
    """Whether an argument in quotes that begins with a dash is a sentence (``"--glob is ignored"``), not an option."""
    head, blank, _ = word.partition(" ")
    return bool(blank) and "=" not in head


@dataclass(frozen=True, slots=True)
class Options:
    """What a command knows: ``flags`` and ``values`` by option, each with its field; ``numbers`` are fields."""

    flags: Mapping[str, str]
    values: Mapping[str, str]
    numbers: tuple[str, ...] = ()

    def read(self, words: Sequence[str]) -> tuple[dict[str, Any], list[str]] | None:
        """Fields that were set and the words between options, as Typer reads them.

        None for anything that Typer should read, and complain of.
        """
        fields: dict[str, Any] = {}
        said: list[str] = []
        queue = list(words)
        while queue:
            word = queue.pop(0)
            if word == "--":
                return fields, [*said, *queue]
            if word in self.flags:
                fields[self.flags[word]] = True
            elif word in self.values and queue and not queue[0].startswith("-"):
                field, value = self.values[word], queue.pop(0)
                if field in self.numbers and not (value.isascii() and value.isdigit() and len(value) <= DIGITS):
                    return None
                fields[field] = int(value) if field in self.numbers else value
            elif word.startswith("-") and not _words(word):
                return None
            else:
                said.append(word)
        return fields, said
