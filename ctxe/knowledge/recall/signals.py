"""The signals of an entry for a question: numbers that are greater the better the entry fits."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from itertools import chain
from operator import mul

from ctxe.knowledge.recall.postings import Postings
from ctxe.knowledge.recall.reading import NAME, Question, id_term
from ctxe.knowledge.recall.terms import FILES, K1, NAMES, WORDS, B, weight_in
from ctxe.lexical.bm25 import idf, length_norm, saturate
from ctxe.lexical.memo import Memo

SIGNALS = (
    "head",  # words of the question's first line and error lines that the entry has (BM25)
    "feedback",  # distinctive words of the best matches that the entry has (BM25)
    "names",  # words of the question in the names of the entry's files (BM25)
    "files",  # files of the question among the entry's files or in its scope (BM25)
    "file",  # rarity of the rarest of them
    "id",  # 1 if the question names the entry by its id or the number in it
    "cover",  # share of the entry's title, by rarity, that the question contains
    "opening",  # words of the question (if it has no trace) in the opening of the entry, by rarity
    "grams",  # grams of the question's words anywhere in the entry, by rarity among the candidates
    "recent",  # failures only: 1 for the newest, falling by a factor e every FADE failures
    "cited",  # log(1 + number of other entries that mention this one by its id)
    "said_of",  # words of the question near mentions of this entry in other entries (BM25)
    "shared",  # words of the question (if it has no trace) in the entry, of any length, by squared rarity
    "rarest",  # rarity of the rarest of them; not in logs
    "said_by",  # logs only: the question names the speaker of this turn
    "answers",  # logs only: the turn before is a question; this is how well that one fits
    "window",  # logs only: words of the question in this turn and its neighbours (BM25)
)
RECENT = SIGNALS.index("recent")
REACH = 2
"""Turns before and after a turn that form its window."""
FADE = 100.0
FADED = 1_000
FRESH = tuple(math.exp(-age / FADE) for age in range(FADED))
SPEAKER = 1.5
"""Added to the fit of a turn whose speaker the question names; on the scale of ``head``."""

SAID = 60
"""Words near the mentions of an entry above which each counts less."""

Vector = tuple[float, ...]
"""The signals of one entry, in the order of SIGNALS."""


class SlotSignals:
    """One question against the postings: the signals of any slot, as of a time (None: now)."""

    def __init__(self, postings: Postings, question: Question, as_of: float | None = None) -> None:
        self.postings, self.question, self._as_of = postings, question, as_of
        self._rarity = {term: postings.rarity(term) for term in sorted(question.words)}
        self._head = {term: self._rarity[term] for term in sorted(question.head)}
        self._heads = Memo(self._head_of)
        self._shared_words = Memo[int, AbstractSet[str]](
            lambda slot: postings.reading(slot).words.keys() & question.words.keys()
        )
        asked = {} if question.traced else question.words
        weights = {term: weight * self._rarity[term] for term, weight in asked.items()}
        length = math.hypot(*weights.values()) or 1.0
        self._squares = {term: weight * self._rarity[term] / length for term, weight in weights.items()}
        # Intersecting a frozenset with a keys view takes three times as long as intersecting two sets.
        self._words, self._plain = frozenset(question.words), frozenset(self._squares)

    def vectors(self, slots: Sequence[int], expansion: Mapping[str, float]) -> dict[int, Vector]:
        """The signals of the slots; ``expansion`` are the feedback words with their weights."""
        fed = {term: weight * self.postings.rarity(term) for term, weight in expansion.items()}
        pieces = self._gram_scores(slots)
        recent = dict(self.recents(slots))
        return {
            slot: self._vector(slot, fed, shared, recent.get(slot, 0.0))
            for slot, shared in zip(slots, pieces, strict=True)
        }

    def recents(self, slots: Collection[int]) -> list[tuple[int, float]]:
        """``recent`` of the failures among the slots: 1 for the newest of all; older ones than FADED are left out."""
        ages = self.postings.failures.among(slots, self._as_of)
        return [(slot, FRESH[age]) for slot, age in ages if age < FADED]

    def _vector(self, slot: int, fed: Mapping[str, float], pieces: float, recent: float) -> Vector:
        """The values of SIGNALS for the entry in a slot."""
        postings, question = self.postings, self.question
        reading, entry = postings.reading(slot), postings.entries[slot]
        logged = entry.kind == "log"
        names = [f"{NAME}{term}" for term in sorted(reading.names & self._words)]
        files = sorted(reading.files & question.files)
        rarity, shared = self._rarity.__getitem__, self._shared_words[slot] & self._plain
        return (
            self._heads[slot],
            self._word_score(slot, fed, fed.keys() & reading.words.keys()),
            self._term_score(slot, names, NAMES) if names else 0.0,
            self._term_score(slot, files, FILES) if files else 0.0,
            max(map(postings.rarity, files), default=0.0),
            float(not reading.ids.isdisjoint(question.ids)),
            self._title_cover(slot),
            math.fsum(map(rarity, reading.opening & self._plain)),
            pieces,
            recent,
            math.log1p(self._mentioned(entry.id)),
            self._said_of(slot),
            math.fsum([self._squares[term] * math.log1p(reading.words[term]) for term in shared]),
            0.0 if logged else max(map(rarity, shared), default=0.0),
            float(logged and self._names_speaker(slot)),
            self._answer_score(slot) if logged else 0.0,
            self._window_score(slot) if logged else 0.0,
        )

    def _head_of(self, slot: int) -> float:
        """How well the words of an entry match the head of the question."""
        return self._word_score(slot, self._head, self._shared_words[slot] & self.question.head)

    def _word_score(self, slot: int, wanted: Mapping[str, float], shared: Collection[str]) -> float:
        """BM25 sum of the words that an entry shares with the wanted ones, which map to their weights."""
        if not shared:
            return 0.0
        words, size, k1 = self.postings.reading(slot).words, self.postings.size(slot), K1[WORDS]
        times = [words[term] for term in shared]
        # Most counts are 1 or 2, so only a few values are computed.
        saturated = {number: saturate(number / size, k1) for number in set(times)}
        return math.fsum(map(mul, map(wanted.__getitem__, shared), map(saturated.__getitem__, times)))

    def _term_score(self, slot: int, shared: Iterable[str], channel: int) -> float:
        postings = self.postings
        return saturate(1 / postings.size(slot, channel), K1[channel]) * math.fsum(map(postings.rarity, shared))

    def _title_cover(self, slot: int) -> float:
        shared = self.postings.reading(slot).title & self._words
        return math.fsum(map(self._rarity.__getitem__, shared)) / self.postings.title(slot) if shared else 0.0

    def _mentioned(self, name: str) -> int:
        term = id_term(name)
        return self.postings.having(term) if term else 0

    def _said_of(self, slot: int) -> float:
        """BM25 of the question's words in the text near mentions of the entry."""
        mentions = [
            words for time, words in self.postings.around.said_of(slot) if self._as_of is None or time < self._as_of
        ]
        if not mentions:
            return 0.0
        shared = set(self.question.words).intersection(set().union(*mentions))
        times = {term: sum(words.get(term, 0) for words in mentions) for term in shared}
        length = length_norm(sum(sum(words.values()) for words in mentions), SAID, B[WORDS])
        return math.fsum(self.postings.rarity(term) * saturate(number / length) for term, number in times.items())

    def _names_speaker(self, slot: int) -> bool:
        """Whether the question names this turn's speaker and shares a word of its head with the turn."""
        reading = self.postings.reading(slot)
        named = bool(reading.said_by) and reading.said_by <= self.question.plain
        return named and not self.question.head.isdisjoint(reading.words)

    def _answer_score(self, slot: int) -> float:
        before = self.postings.around.before(slot)
        if before is None or not self.postings.reading(before).asks:
            return 0.0
        return self._heads[before] + SPEAKER * self._names_speaker(before)

    def _window_score(self, slot: int) -> float:
        """BM25 of the surrounding turns as if they were one text; rarities are those among single turns."""
        postings = self.postings
        around = [postings.reading(near) for near in postings.around.turns(slot, REACH)]
        length = sum(reading.length for reading in around)
        average = postings.average * (2 * REACH + 1)
        total = 0.0
        for term, rarity in self._head.items():
            times = sum(reading.words.get(term, 0) for reading in around)
            if times:
                total += rarity * weight_in(times, length, average)
        return total

    def _gram_scores(self, slots: Sequence[int]) -> list[float]:
        """The weight of the question's grams in each slot; a gram that all slots have weighs nothing."""
        shared = [self.question.grams.intersection(self.postings.grams(slot)) for slot in slots]
        spread = Counter(chain.from_iterable(shared))
        telling = {having: idf(len(slots), having) for having in set(spread.values())}
        weight = {gram: telling[having] for gram, having in spread.items()}
        return [math.fsum(map(weight.__getitem__, found)) for found in shared]
