"""The fitted weights of the signals, as ``scripts/fit-recall`` wrote them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from operator import mul

from ctxe.data import read_text
from ctxe.domain.value import dataclass
from ctxe.knowledge.recall.reading import Question
from ctxe.knowledge.recall.signals import SIGNALS, Vector

WORDS, TRACE = "words", "trace"
"""The two kinds of question that were fitted apart."""


@dataclass(frozen=True, slots=True)
class Weights:
    """What each signal counts (``signals``: all of ``SIGNALS``, for a question in words and for a trace), and when an
    answer is given unasked (``inject``: for each kind of entry its start and what each clue counts). ``common`` is the
    share of texts about software that have a term.
    """

    signals: Mapping[str, Mapping[str, float]]
    inject: Mapping[str, Mapping[str, float]]
    common: Mapping[str, float]

    def counting(self, question: Question) -> Mapping[str, float]:
        """What each signal counts for a question: those of a trace are not those of words."""
        return self.signals[TRACE if question.traced else WORDS]


def score(vector: Vector, counting: Mapping[str, float]) -> float:
    """The weighted sum of an entry's signals: the difference of two scores is the logarithm of how much more likely one
    entry answers than the other (a conditional logit, fitted to questions whose answers are known).
    """
    total: float = sum(map(mul, map(counting.__getitem__, SIGNALS), vector))
    return total


@cache
def fitted() -> Weights:
    """The weights that ship with ctxe."""
    held = json.loads(read_text("recall.json"))
    return Weights(held["signals"], held["inject"], held["common"])
