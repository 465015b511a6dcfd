"""A form that a program wants a person to fill in: what it asks, field by field, and how an answer is parsed."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Literal

from ctxe.domain.value import dataclass

Value = str | int | float | bool | list[str]
Kind = Literal["text", "whole number", "number", "yes or no", "choice", "choices"]
WORDS = {"y": True, "yes": True, "true": True, "1": True, "n": False, "no": False, "false": False, "0": False}
MOST_TEXT = 10_000
"""Most characters of one answer."""


@dataclass(frozen=True, slots=True)
class FormField:
    """One question. ``choices`` are (value, label).

    ``least`` and ``most`` bound a number, the characters of a text, or how many choices are made.
    """

    name: str
    kind: Kind = "text"
    description: str = ""
    required: bool = False
    default: Value | None = None
    choices: tuple[tuple[str, str], ...] = ()
    least: float | None = None
    most: float | None = None

    def parse_answer(self, words: str) -> Value | None:
        """The value that ``words`` mean; without words, the default. Raises ValueError saying what is wrong."""
        answer = words.strip()
        if not answer:
            if self.default is None and self.required:
                raise ValueError("it is needed")
            return self.default
        if self.kind == "yes or no":
            return _yes(answer)
        if self.kind in ("choice", "choices"):
            return self._chosen(answer)
        if self.kind == "text":
            self._within(len(answer), " characters")
            return answer[:MOST_TEXT]
        return self._number(answer)

    def _number(self, answer: str) -> int | float:
        try:
            value = int(answer) if self.kind == "whole number" else float(answer)
        except ValueError:
            raise ValueError(f"{answer} is no {self.kind}") from None
        self._within(value, "")
        return value

    def _chosen(self, answer: str) -> Value:
        parts = [one.strip() for one in answer.split(",") if one.strip()] if self.kind == "choices" else [answer]
        found = list(dict.fromkeys(self._choice(one) for one in parts))
        if self.kind == "choice":
            return found[0]
        self._within(len(found), " of them")
        return found

    def _choice(self, answer: str) -> str:
        """A choice by its number, its value or its label."""
        if answer.isdecimal() and 1 <= int(answer) <= len(self.choices):
            return self.choices[int(answer) - 1][0]
        for value, called in self.choices:
            if answer.lower() in (value.lower(), called.lower()):
                return value
        raise ValueError(f"{answer} is none of the choices")

    def _within(self, size: float, unit: str) -> None:
        if self.least is not None and size < self.least:
            raise ValueError(f"at least {self.least:g}{unit}")
        if self.most is not None and size > self.most:
            raise ValueError(f"at most {self.most:g}{unit}")


@dataclass(frozen=True, slots=True)
class Form:
    """What a program asks: ``origin`` names it, ``url`` is a page that it wants opened instead of any field."""

    origin: str
    message: str
    fields: tuple[FormField, ...] = ()
    url: str = ""

    @property
    def host(self) -> str:
        """The host of the page, shown to a person before they open it."""
        found = re.match(r"https?://(?:[^/?#]*@)?([^/?#]*)", self.url)
        return found[1] if found else ""


FormAnswers = Mapping[str, Value]
FormAsker = Callable[[Form], FormAnswers | None]
"""Maps a form to what the person filled in; None when they declined, or nobody is there."""


def decline(_form: Form) -> FormAnswers | None:
    """Nobody is there to ask."""
    return None


def _yes(answer: str) -> bool:
    if answer.lower() not in WORDS:
        raise ValueError("y or n")
    return WORDS[answer.lower()]
