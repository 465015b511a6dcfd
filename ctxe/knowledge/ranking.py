"""Which entries bear on a task by shared words and files: the simplest ranker, for where no better one is handed in."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import chain

from ctxe.domain.section import Task
from ctxe.knowledge.entry import Entry

Rank = Callable[[Task, Sequence[Entry]], list[tuple[Entry, float]]]
"""Entries that bear on a task with their scores, best first; those that do not are left out (it may say nothing)."""

FLOOR = 0.12
"""Share of the task's weight in words that an entry must have, unless it is about a file of the task."""


class Words:
    """A Rank by shared terms, weighted by how rare they are, and one for each shared file.

    It remembers the terms of entries by id and wording, so that asking again costs no reading.
    """

    def __init__(self) -> None:
        """Nothing is known yet."""
        self._known: dict[tuple[str, str, str], frozenset[str]] = {}

    def __call__(self, task: Task, entries: Sequence[Entry]) -> list[tuple[Entry, float]]:
        """Entries that bear on the task, best first."""
        from ctxe.lexical.words import terms

        held = [self._terms(entry) for entry in entries]
        wanted = frozenset(terms(task.words))
        shared = [words & wanted for words in held]
        spread = Counter(chain.from_iterable(shared))
        weight = {term: math.log(1 + len(entries) / (1 + spread[term])) for term in wanted}
        total = sum(weight.values()) or 1.0
        files = {*task.files, *task.named}
        found = []
        for entry, words in zip(entries, shared, strict=True):
            score = sum(weight[term] for term in sorted(words)) / total
            near = len(files.intersection(entry.files)) if files else 0
            if score >= FLOOR or near:
                found.append((entry, score + near))
        return sorted(found, key=lambda pair: (-pair[1], pair[0].id))

    def _terms(self, entry: Entry) -> frozenset[str]:
        from ctxe.lexical.words import terms

        key = (entry.id, entry.title, entry.text)
        if key not in self._known:
            self._known[key] = frozenset(terms(f"{entry.title} {entry.text} {entry.error} {entry.command}"))
        return self._known[key]


def by_words(task: Task, entries: Sequence[Entry]) -> list[tuple[Entry, float]]:
    """The same for one question, nothing remembered."""
    return Words()(task, entries)
