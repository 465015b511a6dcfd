"""The evidence on which all signals rest: scores of files and their units for the words of a task, by view."""

from __future__ import annotations

import heapq
from array import array
from collections import defaultdict
from collections.abc import Iterable, Mapping, Set
from operator import neg

from ctxe.domain.value import dataclass, field
from ctxe.lexical.bm25 import idf
from ctxe.repo.indexing.index import Index
from ctxe.repo.indexing.postings import Posting
from ctxe.repo.indexing.scan import NAMED, PATH
from ctxe.repo.indexing.statistics import FILE_K1
from ctxe.repo.indexing.store import Details, File
from ctxe.repo.planning.reading import MOST_TERMS, TaskReading, View
from ctxe.repo.planning.steering import UNSTEERED, Steering

UNIT_K1, UNIT_B = 1.2, 0.3
"""BM25's parameters for units, best for single signals on past changes (docs/planner-measured.md)."""
COMMON = 0.6
"""Share of the files above which a word counts for nothing."""
MOST_POSTINGS = 300_000
"""Most postings that are read for one task, starting with the rarest word."""
NAME_WEIGHT = 0.6
"""The amount by which a word in a unit's own name raises the unit's score, as a multiple of the word's rarity."""
UNIT_BITS = 12
_NAMING_VIEWS = ("title", "lead", "prose", "code")
"""Views whose words are looked for in the names of units."""

Scores = dict[int, float]
"""Scores by file id; by ``id << 12 | unit`` for units."""


@dataclass(slots=True)
class Evidence:
    """The evidence in the index for one task.

    ``views`` are those of the ``reading``; ``terms`` are the words that count, each with its views. ``files`` and
    ``units`` hold the scores for each view, ``unit_names`` those for words in the units' own names. ``candidates`` are
    the files whose units are scored, with their ``details``; ``base`` is the first mix of signals; ``meaning`` holds
    the scores by vectors, if there are any.
    """

    index: Index
    reading: TaskReading
    common: Mapping[str, float]
    steering: Steering = UNSTEERED
    meaning: Scores = field(default_factory=dict)
    views: dict[str, View] = field(default_factory=dict)
    terms: dict[str, frozenset[str]] = field(default_factory=dict)
    rarity: dict[str, float] = field(default_factory=dict)
    postings: dict[str, Posting] = field(default_factory=dict)
    files: dict[str, Scores] = field(default_factory=dict)
    units: dict[str, Scores] = field(default_factory=dict)
    unit_names: dict[str, Scores] = field(default_factory=dict)
    candidates: set[int] = field(default_factory=set)
    details: dict[int, Details] = field(default_factory=dict)
    base: Scores = field(default_factory=dict)

    def file(self, number: int) -> File:
        """The file of an id."""
        return self.index.files[number]

    def is_source(self, number: int) -> bool:
        """Whether the file is source code of the project itself."""
        return self.index.files.kinds[number] == "source"

    def having(self, mark: str, words: Iterable[str]) -> dict[str, list[int]]:
        """The ids of the files that have each word with a prefix (see ``scan``); words that no file has are absent."""
        wanted = {mark + word: word for word in words}
        missing = [term for term in wanted if term not in self.postings]
        if missing:
            postings = self.index.postings(missing)
            self.postings.update({term: postings.get(term, (array("I"), array("I"))) for term in missing})
        return {word: list(heads[::2]) for term, word in wanted.items() if (heads := self.postings[term][0])}


def gather(
    index: Index,
    reading: TaskReading,
    common: Mapping[str, float],
    steering: Steering = UNSTEERED,
    meaning: Scores | None = None,
) -> Evidence:
    """Look up every word of a task in the index and score whole files for every view."""
    evidence = Evidence(index, reading, common, steering, meaning or {}, reading.views())
    words = set().union(*evidence.views.values())
    marked = [mark + word for word in words for mark in (PATH, NAMED)]
    evidence.postings = index.postings([*words, *marked])
    total = max(1, index.files.statistics.documents)
    for word in words & evidence.postings.keys():
        evidence.rarity[word] = idf(total, len(evidence.postings[word][0]) // 2)
    evidence.terms = _words_to_score(evidence, total)
    _score_files(evidence)
    return evidence


def _words_to_score(evidence: Evidence, total: int) -> dict[str, frozenset[str]]:
    """The words to score by, each with the views it belongs to: the rarest of each view, without common ones."""
    members: dict[str, set[str]] = defaultdict(set)
    for name, view in evidence.views.items():
        indexed = [word for word in view if word in evidence.rarity]
        indexed.sort(key=lambda word: (-evidence.rarity[word] * view[word], word))
        for word in indexed[:MOST_TERMS]:
            members[word].add(name)
    remaining = MOST_POSTINGS
    chosen: dict[str, frozenset[str]] = {}
    for word in sorted(members, key=lambda word: (-evidence.rarity[word], word)):
        size = len(evidence.postings[word][0]) // 2
        remaining -= size
        if remaining < 0 and chosen:
            break
        if size <= COMMON * total or total < 20:
            chosen[word] = frozenset(members[word])
    return chosen


def _weight(evidence: Evidence, word: str, views: frozenset[str]) -> float:
    """The weight of a word in the task, which is higher for a word used more than once."""
    return max(evidence.views[name][word] for name in views)


def _score_files(evidence: Evidence) -> None:
    """Score whole files by BM25 for every view; words that tasks in every project use count less."""
    norms = evidence.index.files.statistics.norms
    parts: dict[frozenset[str], Scores] = {}
    for word, views in evidence.terms.items():
        part = parts.setdefault(views, {})
        score_of = part.get
        weight = (
            evidence.rarity[word] * _weight(evidence, word, views) * evidence.common.get(word, 1.0) * (FILE_K1 + 1.0)
        )
        heads = evidence.postings[word][0]
        for number, packed in zip(heads[::2], heads[1::2], strict=True):
            times = packed >> 16
            part[number] = score_of(number, 0.0) + weight * times / (times + norms[number])
    evidence.files = _by_view(evidence.views, parts)


def _by_view(views: Iterable[str], parts: dict[frozenset[str], Scores]) -> dict[str, Scores]:
    """Scores of every view, from the scores (``parts``) of the words that belong to the same set of views."""
    by_view: dict[str, Scores] = {name: {} for name in views}
    for members, part in parts.items():
        for name in members:
            total = by_view[name]
            if not total:
                total.update(part)
                continue
            for number, score in part.items():
                total[number] = total.get(number, 0.0) + score
    return by_view


def best(scores: Scores, count: int, evidence: Evidence, kind: str = "source") -> list[int]:
    """The ids of the ``count`` files of a kind with the best scores, best first."""
    kinds = evidence.index.files.kinds
    if kind == "source":  # usually enough of the very best files are source
        ordered = heapq.nlargest(4 * count, zip(scores.values(), map(neg, scores), strict=True))
        files = [-number for _, number in ordered if kinds[-number] == kind]
        if len(files) >= count:
            return files[:count]
    of_kind = scores.keys() & evidence.index.files.of_kind.get(kind, set())
    return [-number for _, number in heapq.nlargest(count, ((scores[number], -number) for number in of_kind))]


def look_inside(evidence: Evidence, candidates: set[int]) -> None:
    """Score the units of the candidates for every view, and by the words in their own names."""
    evidence.candidates = candidates
    evidence.details = evidence.index.details(candidates)
    norms = _unit_norms(evidence.details)
    parts: dict[frozenset[str], Scores] = {}
    for word, views in evidence.terms.items():
        part = parts.setdefault(views, {})
        score_of = part.get
        weight = evidence.rarity[word] * _weight(evidence, word, views) * (UNIT_K1 + 1.0)
        weight *= evidence.common.get(word, 1.0) ** 0.5
        for number, units in units_in(evidence.postings[word], candidates):
            norm = norms[number]
            for packed in units:
                times, unit = packed & 255, packed >> 8
                key = number << UNIT_BITS | unit
                part[key] = score_of(key, 0.0) + weight * times / (times + norm[unit])
    evidence.units = _by_view(evidence.views, parts)
    _score_names(evidence, candidates)


def _unit_norms(details: Mapping[int, Details]) -> dict[int, list[float]]:
    """The BM25 length norm of each unit, by file."""
    count = sum(len(content.lengths) for content in details.values())
    average = max(1.0, sum(sum(content.lengths) for content in details.values()) / max(1, count))
    return {
        number: [UNIT_K1 * (1.0 - UNIT_B + UNIT_B * length / average) for length in content.lengths]
        for number, content in details.items()
    }


def units_in(posting: Posting, wanted: Set[int]) -> Iterable[tuple[int, array[int]]]:
    """(file, postings of its units) for those of the ``wanted`` files that are in a posting."""
    heads, units = posting
    place = 0
    for number, packed in zip(heads[::2], heads[1::2], strict=True):
        count = packed & 0xFFFF
        if number in wanted:
            yield number, units[place : place + count]
        place += count


def _score_names(evidence: Evidence, candidates: set[int]) -> None:
    total = max(1, evidence.index.files.statistics.documents)
    by_view: dict[str, Scores] = {name: {} for name in _NAMING_VIEWS}
    for word in sorted(set().union(*(evidence.views[name] for name in _NAMING_VIEWS))):
        posting = evidence.postings.get(NAMED + word)
        if not posting:
            continue
        rarity = idf(total, len(posting[0]) // 2) * NAME_WEIGHT * evidence.common.get(word, 1.0) ** 0.5
        views = [(by_view[name], evidence.views[name][word]) for name in _NAMING_VIEWS if word in evidence.views[name]]
        for number, units in units_in(posting, candidates):
            for packed in units:
                key = number << UNIT_BITS | packed >> 8
                for scores, weight in views:
                    scores[key] = scores.get(key, 0.0) + weight * rarity
    evidence.unit_names = by_view
