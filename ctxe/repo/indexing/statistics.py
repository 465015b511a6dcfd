"""Corpus statistics for BM25: how many files have content, and how long each is compared with the average."""

from __future__ import annotations

from collections.abc import Sequence

from ctxe.domain.value import dataclass
from ctxe.lexical.bm25 import length_norm

FILE_K1, FILE_B = 2.0, 0.4
"""BM25's parameters for whole files, best for single signals on past changes (docs/planner-measured.md)."""


@dataclass(frozen=True, slots=True)
class Statistics:
    """The number of files with content, and for each file id the length norm, which BM25 adds to a term's frequency."""

    documents: int
    norms: list[float]


def statistics(ids: Sequence[int], lengths: Sequence[int]) -> Statistics:
    """Statistics of these files; ``lengths`` counts the terms of each."""
    with_content = [length for length in lengths if length > 1]
    average = sum(with_content) / len(with_content) if with_content else 1.0
    norms = [FILE_K1] * (max(ids, default=0) + 1)
    shortest = FILE_K1 * length_norm(0, average, FILE_B)
    per_term = FILE_K1 * length_norm(1, average, FILE_B) - shortest
    for number, length in zip(ids, lengths, strict=True):
        norms[number] = shortest + per_term * length
    return Statistics(len(with_content), norms)
