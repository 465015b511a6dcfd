"""Which entries bear on a task by shared words and files: the simplest ranker, for where no better one is handed in."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from ctxe.domain.section import Task
from ctxe.knowledge.entry import Entry

Rank = Callable[[Task, Sequence[Entry]], list[tuple[Entry, float]]]
"""Entries that bear on a task with their scores, best first; those that do not are left out (it may say nothing)."""

FLOOR = 0.12
"""Share of the task's weight in words that an entry must have, unless it is about a file of the task."""


def by_words(task: Task, entries: Sequence[Entry]) -> list[tuple[Entry, float]]:
    """Shared terms weighted by how rare they are, and one for each shared file."""
    from ctxe.lexical.words import terms

    held = [set(terms(f"{entry.title} {entry.text} {entry.error} {entry.command}")) for entry in entries]
    wanted = set(terms(task.words))
    spread = {term: sum(term in words for words in held) for term in wanted}
    weight = {term: math.log(1 + len(entries) / (1 + times)) for term, times in spread.items()}
    total = sum(weight.values()) or 1.0
    files = {*task.files, *task.named}
    found = []
    for entry, words in zip(entries, held, strict=True):
        score = sum(weight[term] for term in wanted & words) / total
        shared = len(files.intersection(entry.files))
        if score >= FLOOR or shared:
            found.append((entry, score + shared))
    return sorted(found, key=lambda pair: (-pair[1], pair[0].id))
