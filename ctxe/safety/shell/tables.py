"""Tables of programs with their vetted options, and matching a command's words against them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

from ctxe.domain.value import dataclass
from ctxe.lexical.tables import word_set
from ctxe.safety.shell.words import Word


@dataclass(frozen=True, slots=True)
class Spec:
    """One row of a table: options with no, one or two values, those that make operands harmless, properties."""

    flags: frozenset[str]
    valued: frozenset[str]
    doubled: frozenset[str]
    excusing: frozenset[str]
    is_: frozenset[str]


@dataclass(frozen=True, slots=True)
class ParsedWords:
    """The words of a command: options as the table names them, their values, and operands."""

    options: frozenset[str]
    values: tuple[tuple[str, str], ...]
    operands: tuple[Word, ...]


def sort_out(spec: Spec, rest: Sequence[Word]) -> ParsedWords | None:
    """Match every word against a row; None when an option is not in it."""
    options, values, operands = set[str](), list[tuple[str, str]](), list[Word]()
    words = iter(rest)
    for word in words:
        text = word.text
        if not word.known or (word.glob and text[:1] in "*?[" and "wild" not in spec.is_):
            return None
        if text == "--":
            operands += words
        elif len(text) < 2 or text[0] != "-":
            operands.append(word)
        elif not _option(spec, text, words, options, values):
            return None
    if any(word.glob and word.text[:1] in "*?[" and "wild" not in spec.is_ for word in operands):
        return None
    return ParsedWords(frozenset(options), tuple(values), tuple(operands))


def _option(spec: Spec, text: str, words: Iterator[Word], options: set[str], values: list[tuple[str, str]]) -> bool:
    """Read one option with its value; False when it is not in the row."""
    name, attached, value = text.partition("=")
    if text in spec.flags or ("-#" in spec.flags and re.fullmatch(r"-[0-9]{1,9}", text)):
        options.add(text)
    elif text in spec.doubled:
        return _value(words) is not None and _value(words) is not None
    elif text.startswith("--") and name in spec.valued:
        option_value = value if attached else _value(words)
        if option_value is None:
            return False
        options.add(name)
        values.append((name, option_value))
    elif text.startswith("--"):
        return False
    else:
        return _cluster(spec, text[1:], words, options, values)
    return True


def _cluster(spec: Spec, letters: str, words: Iterator[Word], options: set[str], values: list[tuple[str, str]]) -> bool:
    for index, letter in enumerate(letters):
        option = f"-{letter}"
        if option in spec.valued:
            option_value = letters[index + 1 :] or _value(words)
            if option_value is None:
                return False
            options.add(option)
            values.append((option, option_value))
            return True
        if option not in spec.flags:
            return False
        options.add(option)
    return True


def _value(words: Iterator[Word]) -> str | None:
    """The next word as a value; None when it looks like an option, which programs treat differently.

    A glob is no value either: the shell puts all names in its place, and those after the first would be operands.
    """
    word = next(words, None)
    if word is None or not word.known or word.glob:
        return None
    return None if re.match(r"-(?![0-9]+$|$)", word.text) else word.text


@cache
def table(file: str) -> dict[str, Spec]:
    """The rows of a table file, by program."""
    lines = (Path(__file__).parent / file).read_text(encoding="utf-8").splitlines()
    rows = [line for line in lines if line and not line.startswith("#")]
    groups = {row.split()[0]: row.split()[1:] for row in rows if row.startswith("@")}
    return {row.split()[0]: _spec(row, groups) for row in rows if not row.startswith("@")}


def _spec(row: str, groups: dict[str, list[str]]) -> Spec:
    names, _, properties = row.partition(" ; ")
    words = [option for word in names.split()[1:] for option in groups.get(word, [word])]
    options = [word.removeprefix("!") for word in words]
    doubled = {word for word in options if word.startswith("--") and word.endswith("2")}
    return Spec(
        frozenset(word for word in options if not word.endswith("=") and word not in doubled),
        frozenset(word[:-1] for word in options if word.endswith("=")),
        frozenset(word[:-1] for word in doubled),
        frozenset(word[1:].removesuffix("=") for word in words if word.startswith("!")),
        word_set(properties),
    )
