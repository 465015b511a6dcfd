"""What the index holds for the words of a task: scores of files and their units by view; the ground of all signals."""

from __future__ import annotations

import heapq
from array import array
from collections import defaultdict
from collections.abc import Iterable, Mapping
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
"""Share of the files above which a word says nothing."""
MOST_POSTINGS = 300_000
"""Postings that are looked at for one task, the rarest words first."""
NAME_WEIGHT = 0.6
"""What a word of a unit's own name adds to the unit's score, in units of the word's rarity."""
UNIT_BITS = 12

Scores = dict[int, float]
"""Scores by file id; by ``id << 12 | unit`` for units."""


@dataclass(slots=True)
class Evidence:
    """The index asked about one task.

    ``files`` and ``units`` hold the scores of each view; ``unit_names`` what the words of units' own names add;
    ``candidates`` are the files whose units were looked at; ``base`` is the first mix of signals. ``meaning`` is
    what vectors say, if asked.
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
        return self.index.kinds[number] == "source"

    def having(self, mark: str, words: Iterable[str]) -> dict[str, list[int]]:
        """For each word that occurs under a mark (see scan): the ids of the files, each once."""
        wanted = {mark + word: word for word in words}
        missing = [term for term in wanted if term not in self.postings]
        if missing:
            found = self.index.postings(missing)
            self.postings.update({term: found.get(term, (array("I"), array("I"))) for term in missing})
        return {word: list(heads[::2]) for term, word in wanted.items() if (heads := self.postings[term][0])}


def gather(
    index: Index,
    reading: TaskReading,
    common: Mapping[str, float],
    steering: Steering = UNSTEERED,
    meaning: Scores | None = None,
) -> Evidence:
    """Ask the index for every word of a task and score whole files by every view."""
    evidence = Evidence(index, reading, common, steering, meaning or {}, reading.views())
    words = set().union(*evidence.views.values())
    marked = [mark + word for word in words for mark in (PATH, NAMED)]
    evidence.postings = index.postings([*words, *marked])
    total = max(1, index.statistics.documents)
    for word in words & evidence.postings.keys():
        evidence.rarity[word] = idf(total, len(evidence.postings[word][0]) // 2)
    evidence.terms = _telling(evidence, total)
    _score_files(evidence)
    return evidence


def _telling(evidence: Evidence, total: int) -> dict[str, frozenset[str]]:
    """The words that are looked at, each with the views it belongs to: the most telling of each view, none common."""
    members: dict[str, set[str]] = defaultdict(set)
    for name, view in evidence.views.items():
        known = [word for word in view if word in evidence.rarity]
        known.sort(key=lambda word: (-evidence.rarity[word] * view[word], word))
        for word in known[:MOST_TERMS]:
            members[word].add(name)
    room = MOST_POSTINGS
    chosen: dict[str, frozenset[str]] = {}
    for word in sorted(members, key=lambda word: (-evidence.rarity[word], word)):
        size = len(evidence.postings[word][0]) // 2
        room -= size
        if room < 0 and chosen:
            break
        if size <= COMMON * total or total < 20:
            chosen[word] = frozenset(members[word])
    return chosen


def _weight(evidence: Evidence, word: str, views: frozenset[str]) -> float:
    """How much a word of the task counts: more when said more than once."""
    return max(evidence.views[name][word] for name in views)


def _score_files(evidence: Evidence) -> None:
    """BM25 of whole files for every view; words that tasks of any project use count less."""
    norms = evidence.index.statistics.norms
    parts: dict[frozenset[str], Scores] = {}
    for word, views in evidence.terms.items():
        part = parts.setdefault(views, {})
        get = part.get
        worth = (
            evidence.rarity[word] * _weight(evidence, word, views) * evidence.common.get(word, 1.0) * (FILE_K1 + 1.0)
        )
        heads = evidence.postings[word][0]
        for number, packed in zip(heads[::2], heads[1::2], strict=True):
            times = packed >> 16
            part[number] = get(number, 0.0) + worth * times / (times + norms[number])
    evidence.files = _by_view(evidence.views, parts)


def _by_view(views: Iterable[str], parts: dict[frozenset[str], Scores]) -> dict[str, Scores]:
    """Scores of every view from the scores of what its words have in common."""
    found: dict[str, Scores] = {name: {} for name in views}
    for members, part in parts.items():
        for name in members:
            whole = found[name]
            if not whole:
                whole.update(part)
                continue
            for number, score in part.items():
                whole[number] = whole.get(number, 0.0) + score
    return found


def best(scores: Scores, count: int, evidence: Evidence, kind: str = "source") -> list[int]:
    """The ids of the files of a kind with the best scores."""
    kinds = evidence.index.kinds
    if kind == "source":  # mostly these are among the first in any case
        ordered = heapq.nlargest(4 * count, zip(scores.values(), map(neg, scores), strict=True))
        found = [-number for _, number in ordered if kinds[-number] == kind]
        if len(found) >= count:
            return found[:count]
    own = scores.keys() & evidence.index.of_kind.get(kind, set())
    return [-number for _, number in heapq.nlargest(count, ((scores[number], -number) for number in own))]


def look_inside(evidence: Evidence, candidates: set[int]) -> None:
    """Score the units of the candidates by every view, and by the words of their own names."""
    evidence.candidates = candidates
    evidence.details = evidence.index.details(candidates)
    norms = _unit_norms(evidence.details)
    parts: dict[frozenset[str], Scores] = {}
    for word, views in evidence.terms.items():
        part = parts.setdefault(views, {})
        get = part.get
        worth = evidence.rarity[word] * _weight(evidence, word, views) * (UNIT_K1 + 1.0)
        worth *= evidence.common.get(word, 1.0) ** 0.5
        for number, units in _inside(evidence.postings[word], candidates):
            norm = norms[number]
            for packed in units:
                times, unit = packed & 255, packed >> 8
                key = number << UNIT_BITS | unit
                part[key] = get(key, 0.0) + worth * times / (times + norm[unit])
    evidence.units = _by_view(evidence.views, parts)
    _score_names(evidence, candidates)


def _unit_norms(details: Mapping[int, Details]) -> dict[int, list[float]]:
    """What is added to a word's frequency in each unit of each file (BM25)."""
    count = sum(len(inside.lengths) for inside in details.values())
    average = max(1.0, sum(sum(inside.lengths) for inside in details.values()) / max(1, count))
    return {
        number: [UNIT_K1 * (1.0 - UNIT_B + UNIT_B * length / average) for length in inside.lengths]
        for number, inside in details.items()
    }


def _inside(posting: Posting, candidates: set[int]) -> Iterable[tuple[int, array[int]]]:
    """The unit postings of the candidates among the files of a posting."""
    heads, units = posting
    place = 0
    for number, packed in zip(heads[::2], heads[1::2], strict=True):
        count = packed & 0xFFFF
        if number in candidates:
            yield number, units[place : place + count]
        place += count


def _score_names(evidence: Evidence, candidates: set[int]) -> None:
    total = max(1, evidence.index.statistics.documents)
    spoken = ("title", "lead", "prose", "code")
    found: dict[str, Scores] = {name: {} for name in spoken}
    for word in sorted(set().union(*(evidence.views[name] for name in spoken))):
        posting = evidence.postings.get(NAMED + word)
        if not posting:
            continue
        rarity = idf(total, len(posting[0]) // 2) * NAME_WEIGHT * evidence.common.get(word, 1.0) ** 0.5
        views = [(found[name], evidence.views[name][word]) for name in spoken if word in evidence.views[name]]
        for number, units in _inside(posting, candidates):
            for packed in units:
                key = number << UNIT_BITS | packed >> 8
                for scores, weight in views:
                    scores[key] = scores.get(key, 0.0) + weight * rarity
    evidence.unit_names = found
