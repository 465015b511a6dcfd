"""What BM25 needs of the whole tree: how many files there are, and how long each is beside the others."""

from __future__ import annotations

from collections.abc import Iterable

from ctxe.domain.value import dataclass
from ctxe.lexical.bm25 import shorten
from ctxe.repo.indexing.store import File

FILE_K1, FILE_B = 2.0, 0.4
"""BM25's parameters for whole files, best for single signals on past changes (docs/planner-measured.md)."""


@dataclass(frozen=True, slots=True)
class Statistics:
    """What BM25 needs of the whole tree: the number of files with content, and what is added to a frequency in each.

    ``norms`` is indexed by file id.
    """

    documents: int
    norms: list[float]


def statistics(files: Iterable[File]) -> Statistics:
    """Statistics of these files."""
    known = list(files)
    lengths = [file.length for file in known if file.length > 1]
    average = sum(lengths) / len(lengths) if lengths else 1.0
    norms = [FILE_K1] * (max((file.id for file in known), default=0) + 1)
    shortest = FILE_K1 * shorten(0, average, FILE_B)
    a_term = FILE_K1 * shorten(1, average, FILE_B) - shortest
    for file in known:
        norms[file[0]] = shortest + a_term * file[-1]
    return Statistics(len(lengths), norms)
