"""The fitted weights of the signals, as written by ``scripts/fit-recall``."""

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
"""The two kinds of question, which have separate weights."""


@dataclass(frozen=True, slots=True)
class Weights:
    """Weights of the SIGNALS (``signals``) for a question in words and for one with a stack trace.

    ``inject`` decides whether an entry is injected unasked: for each kind of entry the intercept and the weight of each
    clue. ``common`` is the share of software texts that have a term.
    """

    signals: Mapping[str, Mapping[str, float]]
    inject: Mapping[str, Mapping[str, float]]
    common: Mapping[str, float]

    def counting(self, question: Question) -> Mapping[str, float]:
        """The weights of the signals for this question, which depend on whether it has a trace."""
        return self.signals[TRACE if question.traced else WORDS]


def score(vector: Vector, counting: Mapping[str, float]) -> float:
    """The weighted sum of an entry's signals.

    The difference of two scores is the log of how much likelier one entry answers than the other: a conditional logit,
    fitted to questions with known answers.
    """
    total: float = sum(map(mul, map(counting.__getitem__, SIGNALS), vector))
    return total


@cache
def shipped_weights() -> Weights:
    """The weights that ship with ctxe."""
    weights = json.loads(read_text("recall.json"))
    return Weights(weights["signals"], weights["inject"], weights["common"])
