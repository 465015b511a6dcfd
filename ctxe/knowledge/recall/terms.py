"""The terms of an entry in three channels (its words, names of its files, its files), and their BM25 parameters."""

from __future__ import annotations

from collections.abc import Iterable

from ctxe.knowledge.recall.reading import FILE, NAME, EntryReading
from ctxe.lexical.bm25 import length_norm, saturate

WORDS, NAMES, FILES = range(3)
K1 = (1.6, 1.2, 1.2)
B = (0.75, 0.5, 0.5)
"""BM25 parameters of words, file names and files. Names and files occur once each, so length matters less for them."""


def channel_of(term: str) -> int:
    """The channel of a term, by its prefix."""
    return FILES if term.startswith(FILE) else NAMES if term.startswith(NAME) else WORDS


def weight_in(times: float, length: float, average: float) -> float:
    """Weight of a word that occurs ``times`` in a text of ``length`` words, where ``average`` is the mean length."""
    return saturate(times / length_norm(length, average, B[WORDS]), K1[WORDS])


def terms(reading: EntryReading) -> Iterable[tuple[str, int]]:
    """Every term of an entry with its count."""
    yield from reading.words.items()
    for name in reading.names:
        yield f"{NAME}{name}", 1
    for term in (*reading.files, *reading.mentions, *reading.ids):
        yield term, 1
