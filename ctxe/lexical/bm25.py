"""BM25 over in-memory documents of several fields: add, remove, score, and explain the score by term."""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator, Mapping

from ctxe.domain.value import dataclass

# Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond" (2009), sections 3.4 and 3.6.
K1, B = 1.2, 0.75

Counts = Mapping[str, int]
"""How often each term occurs in one field of a document."""


@dataclass(frozen=True, slots=True)
class FieldWeight:
    """The weight of a term in this field, and how much a longer field lowers each of its terms (``b``, 0 to 1)."""

    weight: float = 1.0
    b: float = B


@dataclass(frozen=True, slots=True)
class Hit:
    """A document and its score, higher is better."""

    key: str
    score: float


def idf(documents: float, having: float) -> float:
    """Weight of a term that ``having`` of ``documents`` contain; always positive, so that a match never lowers a score.

    Both may be fractions (expected values).
    """
    return math.log(1.0 + (documents - having + 0.5) / (having + 0.5))


def saturate(frequency: float, k1: float = K1) -> float:
    """Score of a term's weighted frequency: 0 at 0, 1 at 1, less than ``k1 + 1``."""
    return frequency * (k1 + 1.0) / (frequency + k1)


def length_norm(length: float, average: float, b: float = B) -> float:
    """Divisor for a frequency in a field of ``length`` terms: 1 at the average length, more when longer."""
    return 1.0 - b + b * length / average if average > 0 else 1.0


@dataclass(slots=True)
class _Document:
    key: str
    fields: tuple[Counts, ...]
    lengths: tuple[int, ...]

    def terms(self) -> set[str]:
        return set().union(*self.fields)


class Corpus:
    """Documents by key, each a mapping of field names to term counts; every operation is deterministic.

    Weighted frequencies of the fields are added before they saturate (BM25F), so a word in both title and text counts
    as one more frequent word, not as two words. The weights of a term's postings are computed on first use and kept
    until a document is added or removed. Memory is about 200 bytes per distinct term of a document.
    """

    __slots__ = ("_alive", "_documents", "_names", "_options", "_postings", "_slots", "_totals", "_weighed")

    def __init__(self, fields: Mapping[str, FieldWeight]) -> None:
        self._names = tuple(fields)
        self._options = tuple(fields.values())
        self._documents: list[_Document | None] = []
        self._slots: dict[str, int] = {}
        self._postings: dict[str, list[int]] = {}
        self._totals = [0] * len(self._names)
        self._alive = 0
        self._weighed: dict[str, tuple[float, list[tuple[int, float]]]] = {}

    def __len__(self) -> int:
        return self._alive

    def __contains__(self, key: str) -> bool:
        return key in self._slots

    def keys(self) -> Iterator[str]:
        """Keys in the order they were added."""
        return iter(self._slots)

    def add(self, key: str, fields: Mapping[str, Counts]) -> None:
        """Index a document, replacing one with the same key. The counts are kept, not copied.

        Raises KeyError for a field that the corpus was not created with.
        """
        unknown = fields.keys() - set(self._names)
        if unknown:
            raise KeyError(f"no such field: {', '.join(sorted(unknown))}")
        if key in self._slots:
            self.remove(key)
        given = tuple(fields.get(name, {}) for name in self._names)
        document = _Document(key, given, tuple(sum(counts.values()) for counts in given))
        slot = len(self._documents)
        self._documents.append(document)
        self._slots[key] = slot
        for term in document.terms():
            self._postings.setdefault(term, []).append(slot)
        self._count(document, 1)

    def remove(self, key: str) -> None:
        """Remove a document. Raises KeyError when there is none with this key."""
        slot = self._slots.pop(key)
        document = self._documents[slot]
        assert document is not None
        self._documents[slot] = None
        for term in document.terms():
            slots = self._postings[term]
            slots.remove(slot)
            if not slots:
                del self._postings[term]
        self._count(document, -1)

    def _count(self, document: _Document, sign: int) -> None:
        self._alive += sign
        for place, length in enumerate(document.lengths):
            self._totals[place] += sign * length
        self._weighed.clear()

    def idf(self, term: str) -> float:
        """Weight of a term in this collection; for an unknown term, that of a term in no document."""
        return idf(self._alive, len(self._postings.get(term, ())))

    def fields(self, key: str) -> Mapping[str, Counts]:
        """The counts that a document was added with. Raises KeyError."""
        document = self._documents[self._slots[key]]
        assert document is not None
        return dict(zip(self._names, document.fields, strict=True))

    def _worth(self, document: _Document, term: str) -> float:
        """Score of one document for a term, before the term's rarity."""
        frequency = 0.0
        for place, option in enumerate(self._options):
            times = document.fields[place].get(term, 0)
            if times:
                average = self._totals[place] / self._alive
                frequency += option.weight * times / length_norm(document.lengths[place], average, option.b)
        return saturate(frequency)

    def _weigh(self, term: str) -> tuple[float, list[tuple[int, float]]]:
        """Rarity of a term, and (slot, worth x rarity) of every document that contains it; memoised."""
        known = self._weighed.get(term)
        if known is None:
            rarity = self.idf(term)
            documents = ((slot, self._documents[slot]) for slot in self._postings.get(term, ()))
            pairs = [(slot, rarity * self._worth(document, term)) for slot, document in documents if document]
            known = self._weighed[term] = (rarity, pairs)
        return known

    def scores(self, query: Mapping[str, float]) -> dict[str, float]:
        """Scores by key, in no order, of the documents that contain a term of the query; weights multiply.

        A weight is usually 1 whatever a term's count in the query; ``Counter`` values can be given as they are.
        """
        total: dict[int, float] = {}
        # Sorted, because floating-point sums depend on their order and a query may come from a set.
        for term in sorted(query):
            weight = query[term]
            for slot, worth in self._weigh(term)[1]:
                total[slot] = total.get(slot, 0.0) + weight * worth
        documents = self._documents
        return {document.key: score for slot, score in total.items() if (document := documents[slot])}

    def top(self, query: Mapping[str, float], limit: int) -> list[Hit]:
        """The best documents, at most ``limit``; ties are in the order of their keys."""
        best = heapq.nsmallest(limit, self.scores(query).items(), key=lambda pair: (-pair[1], pair[0]))
        return [Hit(key, score) for key, score in best]

    def explain(self, query: Mapping[str, float], key: str) -> list[tuple[str, float]]:
        """What each term of the query adds to a document's score, highest first. Raises KeyError."""
        document = self._documents[self._slots[key]]
        assert document is not None
        given = ((term, weight * self.idf(term) * self._worth(document, term)) for term, weight in query.items())
        return sorted((pair for pair in given if pair[1]), key=lambda pair: (-pair[1], pair[0]))
