"""Finds contradictions between instruction files: one setting, heading or choice with two different values."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from ctxe.domain.pattern import pattern
from ctxe.domain.value import dataclass

BRIEF = 14
"""Maximum words below a heading for them to count as its value; a longer text says more than one thing."""
TERSE = 3
"""Maximum distinctive words of two values that may contradict each other without sharing any."""
_SETTING = pattern(
    r"(?:[-*+]\s+)?\**`?([A-Za-z][\w ./-]{1,40}?)`?\**\s*(?::|=|\bis\b)\s*\**`?([^\s`*].{0,60}?)`?\**\.?$"
)
MOST = 400
"""Items with a choice that later items are compared with."""
_NEGATED = frozenset(("not", "never", "no", "dont", "avoid", "without", "except", "instead", "over", "than", "nor"))
_CHOICES: tuple[frozenset[str], ...] = tuple(
    frozenset(row.split())
    for row in (
        "tabs spaces",
        "single double",
        "npm yarn pnpm bun",
        "pip poetry uv pipenv conda",
        "jest vitest mocha ava",
        "pytest unittest nose",
        "black ruff autopep8 yapf",
        "eslint biome tslint",
        "prettier dprint",
        "camelcase snake_case kebab-case pascalcase",
        "main master trunk",
        "redux zustand mobx",
        "tailwind bootstrap",
        "maven gradle bazel",
        "english german french spanish",
    )
)
"""Alternatives of which a project chooses one. Two items that choose differently about one subject contradict each
other."""
_USUAL = frozenset(
    re.findall(
        r"\w+",
        """use uses using always must should only all any the a an and or for in with of to by on as at be is are it we
        our run write keep prefer please code project file files new every each when from this that you your do""",
    )
)


@dataclass(frozen=True, slots=True)
class RuleUnit:
    """A heading, a paragraph or a list item.

    ``file`` is the number of its file, ``level`` a heading's level, else 0.
    """

    file: int
    text: str
    level: int = 0


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two items of different files that contradict each other."""

    first: RuleUnit
    second: RuleUnit


Words = Callable[[str], list[str]]


def settings(units: Sequence[RuleUnit], words: Words) -> Iterator[Conflict]:
    """``name: value`` lines of different files that give one name different values."""
    known_values: dict[str, tuple[str, RuleUnit]] = {}
    for unit in units:
        match = _SETTING.fullmatch(unit.text.strip()) if len(unit.text) < 120 else None
        if not match:
            continue
        name, value = " ".join(words(match[1])), match[2].strip().lower()
        known = known_values.setdefault(name, (value, unit))
        if known[0] != value and known[1].file != unit.file:
            yield Conflict(known[1], unit)


def headings(units: Sequence[RuleUnit], words: Words) -> Iterator[Conflict]:
    """Equal headings of different files with one brief value each, where the values differ."""
    known_values: dict[str, tuple[frozenset[str], RuleUnit]] = {}
    for heading, value in _headings_with_value(units):
        value_words = words(value.text)
        if not 0 < len(value_words) <= BRIEF:
            continue
        name, bag = " ".join(words(heading.text)), frozenset(value_words) - _USUAL
        known = known_values.setdefault(name, (bag, value))
        if known[1].file != value.file and _different_value(known[0], bag):
            yield Conflict(known[1], value)


def _different_value(one: frozenset[str], value: frozenset[str]) -> bool:
    """Whether both are values of the same thing, rather than one an extension of the other or something else."""
    if one <= value or value <= one or _NEGATED & (one ^ value):
        return False
    return bool(one & value) or max(len(one), len(value)) <= TERSE


def _headings_with_value(units: Sequence[RuleUnit]) -> Iterator[tuple[RuleUnit, RuleUnit]]:
    """Headings with exactly one item below them, and that item."""
    for n, heading in enumerate(units):
        below = []
        for unit in units[n + 1 : n + 3]:
            if unit.level or unit.file != heading.file:
                break
            below.append(unit)
        if heading.level and len(below) == 1:
            yield heading, below[0]


def choices(units: Sequence[RuleUnit], words: Words, stem: Callable[[str], str]) -> Iterator[Conflict]:
    """Items of different files about one subject that choose different alternatives (_CHOICES)."""
    seen: list[_Choice] = []
    for choice in _choices_in(units, words, stem):
        earlier = next((one for one in seen if one.contradicts(choice)), None)
        if earlier is not None:
            yield Conflict(earlier.unit, choice.unit)
        if len(seen) < MOST:
            seen.append(choice)


@dataclass(frozen=True, slots=True)
class _Choice:
    """An item that chose one of the alternatives number ``of``; ``subject`` are its other words."""

    of: int
    chosen: str
    subject: frozenset[str]
    unit: RuleUnit

    def contradicts(self, other: _Choice) -> bool:
        """Whether the other is of another file and chose differently about the same subject."""
        differs = self.of == other.of and self.chosen != other.chosen
        return differs and self.unit.file != other.unit.file and bool(self.subject & other.subject)


def _choices_in(units: Sequence[RuleUnit], words: Words, stem: Callable[[str], str]) -> Iterator[_Choice]:
    for unit in units:
        words_used = frozenset(words(unit.text)) if len(unit.text) < 240 else frozenset()
        if _NEGATED & words_used:
            continue
        for number, alternatives in enumerate(_CHOICES):
            chosen = words_used & alternatives
            if len(chosen) == 1:
                subject = frozenset(stem(word) for word in words_used - chosen - _USUAL if not word.isdigit())
                yield _Choice(number, next(iter(chosen)), subject, unit)
