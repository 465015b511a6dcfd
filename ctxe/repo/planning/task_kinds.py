"""Scaling the score of each kind of file by how likely the task's title asks for that kind."""

from __future__ import annotations

import math
from collections.abc import Mapping

from ctxe.domain.pattern import pattern

KIND_SHARE = {"source": 1.0, "config": 0.5, "test": 0.4, "doc": 0.35, "vendored": 0.3, "data": 0.2}
"""The share of its score that a file of each kind keeps for any task: most tasks change source."""
ASKABLE_KINDS = ("doc", "test", "config")
"""The kinds that a task may ask for instead."""
MOST_SHARE, HALFWAY = 2.0, 1.2
"""The share for a kind that is certainly asked for, and the log-odds at which a kind gets half the way to it."""
_WORD, _PREFIX = pattern(r"[a-z]{2,}"), pattern(r"([a-z]+)(?:\([^)]*\))?!?:")

Odds = Mapping[str, Mapping[str, float]]
"""For each kind the log-odds against source that each word of a title adds; "" is part of every title."""


def words(title: str) -> frozenset[str]:
    """The words of a title, and its prefix: ``docs(cli): ci.yml`` gives ``docs:``, docs, cli, ci, yml."""
    lowered = title.lower()
    prefix = _PREFIX.match(lowered)
    return frozenset((*_WORD.findall(lowered), *([f"{prefix.group(1)}:"] if prefix else [])))


def kind_shares(title: str, odds: Odds) -> dict[str, float]:
    """The share of its score that a file of each kind keeps for a task with this title, at least KIND_SHARE."""
    title_words = words(title)
    shares = dict(KIND_SHARE)
    for kind, learnt in odds.items():
        log_odds = learnt.get("", 0.0) + sum(learnt.get(word, 0.0) for word in title_words)
        shares[kind] += (MOST_SHARE - shares[kind]) / (1.0 + math.exp(HALFWAY - log_odds))
    return shares
