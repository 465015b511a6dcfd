"""The terms of an entry, in three channels (its words, names of its files, its files), and how each is weighed."""

from __future__ import annotations

from collections.abc import Iterable

from ctxe.knowledge.recall.reading import FILE, NAME, EntryReading
from ctxe.lexical.bm25 import saturate, shorten

WORDS, NAMES, FILES = range(3)
K1 = (1.6, 1.2, 1.2)
B = (0.75, 0.5, 0.5)
"""How words, names of files and files are weighed (BM25); names and files come once each, so length says less."""


def channel_of(term: str) -> int:
    """Words, names of files or files, by how a term begins."""
    return FILES if term.startswith(FILE) else NAMES if term.startswith(NAME) else WORDS


def worth_in(times: float, length: float, average: float) -> float:
    """What a word is worth that a text of ``length`` words, among texts of ``average``, says so many times."""
    return saturate(times / shorten(length, average, B[WORDS]), K1[WORDS])


def terms(reading: EntryReading) -> Iterable[tuple[str, int]]:
    """Every term of an entry and how often it has it."""
    yield from reading.words.items()
    for name in reading.names:
        yield f"{NAME}{name}", 1
    for term in (*reading.files, *reading.mentions, *reading.ids):
        yield term, 1
