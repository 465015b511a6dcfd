"""Parsing plain command lines without Typer, which takes a quarter of the time that a short command may take."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from ctxe.domain.value import dataclass, field

DIGITS = 18
"""Most digits of a number; longer ones are left to Typer."""


def _is_sentence(word: str) -> bool:
    """True when a quoted argument that begins with a dash is a sentence (``"--glob is ignored"``), not an option."""
    head, blank, _ = word.partition(" ")
    return bool(blank) and "=" not in head


@dataclass(frozen=True, slots=True)
class OptionParser:
    """The options of a command: ``flags`` and ``values`` map each option to its field.

    Of these fields ``numbers`` are integers, ``amounts`` may have a decimal point, ``lists`` may be repeated, and
    ``choices`` are one of a few words.
    """

    flags: Mapping[str, str]
    values: Mapping[str, str]
    numbers: Collection[str] = ()
    amounts: Collection[str] = ()
    lists: Collection[str] = ()
    choices: Mapping[str, Collection[str]] = field(default_factory=dict)

    def parse(self, words: Sequence[str]) -> tuple[dict[str, Any], list[str]] | None:
        """The fields that are set, and the words between options, as Typer parses them.

        None for anything that Typer must parse, or complain about.
        """
        fields: dict[str, Any] = {}
        free: list[str] = []
        queue = list(words)
        while queue:
            word = queue.pop(0)
            if word == "--":
                return fields, [*free, *queue]
            if word in self.flags:
                fields[self.flags[word]] = True
            elif word in self.values and queue and not queue[0].startswith("-"):
                name, value = self.values[word], queue.pop(0)
                if not self._fits(name, value):
                    return None
                fields[name] = self._value(name, value, fields.get(name, ()))
            elif word.startswith("-") and not _is_sentence(word):
                return None
            else:
                free.append(word)
        return fields, free

    def _fits(self, name: str, value: str) -> bool:
        """True when this is a plain value of the field."""
        digits = value.replace(".", "", 1) if name in self.amounts else value
        if name in self.numbers or name in self.amounts:
            return digits.isascii() and digits.isdigit() and len(digits) <= DIGITS
        return name not in self.choices or value in self.choices[name]

    def _value(self, name: str, value: str, earlier: Sequence[str]) -> Any:
        if name in self.lists:
            return [*earlier, value]
        return int(value) if name in self.numbers else float(value) if name in self.amounts else value
