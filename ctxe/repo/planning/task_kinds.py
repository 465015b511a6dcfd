"""Which kind of file a task asks for, by the words of its title, and what files of each kind keep of their score."""

from __future__ import annotations

import math
from collections.abc import Mapping

from ctxe.domain.pattern import pattern

KIND_SHARE = {"source": 1.0, "config": 0.5, "test": 0.4, "doc": 0.35, "vendored": 0.3, "data": 0.2}
"""What a file of each kind keeps of its score: most tasks change source."""
ASKED = ("doc", "test", "config")
"""The kinds that a task may ask for."""
MOST, SURE = 2.0, 1.2
"""What files of a kind that is surely asked for get, and the odds (as logarithm) at which they get half of it."""
_WORD, _PREFIX = pattern(r"[a-z]{2,}"), pattern(r"([a-z]+)(?:\([^)]*\))?!?:")

Odds = Mapping[str, Mapping[str, float]]
"""For each kind what each word of a title adds to the odds against source, as logarithms; "" stands in every title."""


def words(title: str) -> frozenset[str]:
    """The words of a title that may tell what is asked for: ``docs(cli): ci.yml`` is docs:, docs, cli, ci, yml."""
    small = title.lower()
    prefix = _PREFIX.match(small)
    return frozenset((*_WORD.findall(small), *([f"{prefix.group(1)}:"] if prefix else [])))


def kind_shares(title: str, odds: Odds) -> dict[str, float]:
    """What a file of each kind keeps of its score for a task with this title; never less than for any task."""
    said = words(title)
    found = dict(KIND_SHARE)
    for kind, learnt in odds.items():
        sure = learnt.get("", 0.0) + sum(learnt.get(word, 0.0) for word in said)
        found[kind] += (MOST - found[kind]) / (1.0 + math.exp(SURE - sure))
    return found
