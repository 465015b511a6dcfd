"""What speaks for an entry when something is asked: its signals, each a number that more of is better."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from itertools import chain
from operator import mul

from ctxe.knowledge.recall.postings import Postings
from ctxe.knowledge.recall.reading import NAME, Question, id_term
from ctxe.knowledge.recall.terms import FILES, K1, NAMES, WORDS, B, worth_in
from ctxe.lexical.bm25 import idf, saturate, shorten
from ctxe.lexical.memo import Memo

SIGNALS = (
    "head",  # words of the question's first line and error lines, in the entry (BM25)
    "feedback",  # words that stand out in the entries found first, in the entry (BM25)
    "names",  # words of the question in the names of the entry's files (BM25)
    "files",  # files of the question among the entry's files or under its scope (BM25)
    "file",  # rarity of the rarest of them
    "id",  # 1 when the question names the entry by its id or the number in it
    "cover",  # share of the entry's title that the question says, by rarity
    "opening",  # words of the question (one without a trace) in what the entry says first below its title, by rarity
    "grams",  # pieces of the question's words anywhere in the entry, by rarity among the candidates
    "recent",  # failures only: 1 for the newest, less by a factor e every FADE failures
    "cited",  # logarithm of 1 + how many other entries mention this one by its id
    "said_of",  # words of the question near where other entries mention this one (BM25)
    "shared",  # words of the question (one without a trace) in the entry, however long, by the square of their rarity
    "rarest",  # rarity of the rarest of them; not in logs
    "said_by",  # logs only: the question names who said this
    "answers",  # logs only: the turn before is a question, and this is how well that one fits
    "window",  # logs only: words of the question in this turn and those around it (BM25)
)
RECENT = SIGNALS.index("recent")
REACH = 2
"""Turns before and after one that are its window."""
FADE = 100.0
FADED = 1_000
FRESH = tuple(math.exp(-age / FADE) for age in range(FADED))
SPEAKER = 1.5
"""What it adds to how well a turn fits that the question names who says it, in the measure of ``head``."""

SAID = 60
"""Words near the mentions of an entry from which on each counts less."""

Vector = tuple[float, ...]
"""The signals of one entry, in the order of ``SIGNALS``."""


class SlotSignals:
    """One question put to postings: the signals of any slot, as of a moment (None: now)."""

    def __init__(self, postings: Postings, question: Question, as_of: float | None = None) -> None:
        self.postings, self.question, self._as_of = postings, question, as_of
        self._rarity = {term: postings.rarity(term) for term in sorted(question.words)}
        self._head = {term: self._rarity[term] for term in sorted(question.head)}
        self._heads = Memo(self._head_of)
        self._said = Memo[int, AbstractSet[str]](
            lambda slot: postings.reading(slot).words.keys() & question.words.keys()
        )
        asked = {} if question.traced else question.words
        weights = {term: weight * self._rarity[term] for term, weight in asked.items()}
        length = math.hypot(*weights.values()) or 1.0
        self._squares = {term: weight * self._rarity[term] / length for term, weight in weights.items()}
        # A frozen set and a view of keys are compared by a loop that takes three times as long as that of two sets.
        self._words, self._plain = frozenset(question.words), frozenset(self._squares)

    def vectors(self, slots: Sequence[int], expansion: Mapping[str, float]) -> dict[int, Vector]:
        """The signals of some slots; ``expansion`` are the words of feedback with their weights."""
        fed = {term: weight * self.postings.rarity(term) for term, weight in expansion.items()}
        pieces = self._pieces(slots)
        recent = dict(self.recents(slots))
        return {
            slot: self._vector(slot, fed, shared, recent.get(slot, 0.0))
            for slot, shared in zip(slots, pieces, strict=True)
        }

    def recents(self, slots: Collection[int]) -> list[tuple[int, float]]:
        """Failures among the slots: 1 for the newest of all, less for older ones; those of hardly anything left out."""
        ages = self.postings.failures.among(slots, self._as_of)
        return [(slot, FRESH[age]) for slot, age in ages if age < FADED]

    def _vector(self, slot: int, fed: Mapping[str, float], pieces: float, recent: float) -> Vector:
        postings, question = self.postings, self.question
        reading, entry = postings.reading(slot), postings.entries[slot]
        logged = entry.kind == "log"
        names = [f"{NAME}{term}" for term in sorted(reading.names & self._words)]
        files = sorted(reading.files & question.files)
        rarity, shared = self._rarity.__getitem__, self._said[slot] & self._plain
        return (
            self._heads[slot],
            self._sum(slot, fed, fed.keys() & reading.words.keys()),
            self._set(slot, names, NAMES) if names else 0.0,
            self._set(slot, files, FILES) if files else 0.0,
            max(map(postings.rarity, files), default=0.0),
            float(not reading.ids.isdisjoint(question.ids)),
            self._cover(slot),
            math.fsum(map(rarity, reading.opening & self._plain)),
            pieces,
            recent,
            math.log1p(self._mentioned(entry.id)),
            self._said_of(slot),
            math.fsum([self._squares[term] * math.log1p(reading.words[term]) for term in shared]),
            0.0 if logged else max(map(rarity, shared), default=0.0),
            float(logged and self._says(slot)),
            self._answers(slot) if logged else 0.0,
            self._window(slot) if logged else 0.0,
        )

    def _head_of(self, slot: int) -> float:
        """How well the words of an entry fit the head of the question."""
        return self._sum(slot, self._head, self._said[slot] & self.question.head)

    def _sum(self, slot: int, wanted: Mapping[str, float], shared: Collection[str]) -> float:
        """The worth of words that an entry shares with what is wanted."""
        if not shared:
            return 0.0
        words, size, k1 = self.postings.reading(slot).words, self.postings.size(slot), K1[WORDS]
        times = [words[term] for term in shared]
        # Most words are said once or twice.
        worth = {number: saturate(number / size, k1) for number in set(times)}
        return math.fsum(map(mul, map(wanted.__getitem__, shared), map(worth.__getitem__, times)))

    def _set(self, slot: int, shared: Iterable[str], channel: int) -> float:
        postings = self.postings
        return saturate(1 / postings.size(slot, channel), K1[channel]) * math.fsum(map(postings.rarity, shared))

    def _cover(self, slot: int) -> float:
        said = self.postings.reading(slot).title & self._words
        return math.fsum(map(self._rarity.__getitem__, said)) / self.postings.title(slot) if said else 0.0

    def _mentioned(self, name: str) -> int:
        term = id_term(name)
        return self.postings.having(term) if term else 0

    def _said_of(self, slot: int) -> float:
        seen = [said for time, said in self.postings.around.said_of(slot) if self._as_of is None or time < self._as_of]
        if not seen:
            return 0.0
        asked = set(self.question.words).intersection(set().union(*seen))
        times = {term: sum(said.get(term, 0) for said in seen) for term in asked}
        length = shorten(sum(sum(said.values()) for said in seen), SAID, B[WORDS])
        return math.fsum(self.postings.rarity(term) * saturate(number / length) for term, number in times.items())

    def _says(self, slot: int) -> bool:
        """Whether the question names who said this turn, and asks something of it."""
        reading = self.postings.reading(slot)
        named = bool(reading.said_by) and reading.said_by <= self.question.plain
        return named and not self.question.head.isdisjoint(reading.words)

    def _answers(self, slot: int) -> float:
        before = self.postings.around.before(slot)
        if before is None or not self.postings.reading(before).asks:
            return 0.0
        return self._heads[before] + SPEAKER * self._says(before)

    def _window(self, slot: int) -> float:
        """As if the turns around were one text; words are as rare as they are among single turns."""
        postings = self.postings
        around = [postings.reading(near) for near in postings.around.turns(slot, REACH)]
        length = sum(reading.length for reading in around)
        average = postings.average * (2 * REACH + 1)
        total = 0.0
        for term, rarity in self._head.items():
            times = sum(reading.words.get(term, 0) for reading in around)
            if times:
                total += rarity * worth_in(times, length, average)
        return total

    def _pieces(self, slots: Sequence[int]) -> list[float]:
        """The weight of the question's grams in each slot; a gram that every one of them has weighs nothing."""
        held = [self.question.grams.intersection(self.postings.grams(slot)) for slot in slots]
        spread = Counter(chain.from_iterable(held))
        telling = {having: idf(len(slots), having) for having in set(spread.values())}
        weight = {gram: telling[having] for gram, having in spread.items()}
        return [math.fsum(map(weight.__getitem__, found)) for found in held]
