"""Signals from the surroundings of the best files: their folder, namesakes, imports and tests."""

from __future__ import annotations

import posixpath
import re

from ctxe.domain.pattern import pattern
from ctxe.repo.indexing.scan import STEM, stem_of
from ctxe.repo.planning.evidence import Evidence, Scores, best
from ctxe.repo.planning.signals.text import best_units

TESTS = 25
"""Most test files that vote for the files they test."""
TOP = 8
MOST_NAMESAKES = 6
"""Candidates of one name above which the name is ignored, like ``models.py`` in every folder."""
_TEST_MARK = pattern(r"^tests?[_-]?|[_-]?(?:tests?|specs?|testcase)$|(?:tests?|testcase|spec|it)$")


def folder(evidence: Evidence) -> Scores:
    """How well the other files of the same folder score."""
    shares: dict[str, list[float]] = {}
    for number, score in evidence.base.items():
        if evidence.is_source(number):
            shares.setdefault(posixpath.dirname(evidence.file(number).path), []).append(score)
    sums = {
        name: sum(
            score * share for score, share in zip(sorted(scores, reverse=True), (1.0, 0.7, 0.5, 0.3), strict=False)
        )
        for name, scores in shares.items()
    }
    return {
        number: max(0.0, sums.get(posixpath.dirname(evidence.file(number).path), 0.0) - evidence.base.get(number, 0.0))
        for number in evidence.candidates
    }


def imported(evidence: Evidence) -> Scores:
    """Files that the best files import."""
    return _neighbours(evidence, 0)


def importing(evidence: Evidence) -> Scores:
    """Files that import the best files."""
    return _neighbours(evidence, 1)


def _neighbours(evidence: Evidence, side: int) -> Scores:
    scores: Scores = {}
    first = best(evidence.base, TOP, evidence)
    for number in first:
        share = (evidence.base[number] / evidence.base[first[0]]) ** 2
        for other in evidence.index.neighbours(number)[side]:
            scores[other] = scores.get(other, 0.0) + share
    return scores


def namesake(evidence: Evidence) -> Scores:
    """How well another file of the same name scores: ``url.c`` and ``url.h``, ``pot.ts`` and ``pot.types.ts``."""
    family: dict[str, list[float]] = {}
    sources = (number for number in evidence.candidates if evidence.is_source(number))
    keys = {number: name_key(evidence.file(number).path) for number in sources}
    for number, key in keys.items():
        family.setdefault(key, []).append(evidence.base.get(number, 0.0))
    scores: Scores = {}
    for number, key in keys.items():
        others = sorted(family[key], reverse=True)
        if 1 < len(others) <= MOST_NAMESAKES:
            own_score = evidence.base.get(number, 0.0)
            scores[number] = others[1] if own_score == others[0] else others[0]
    return scores


def name_key(path: str) -> str:
    """The first word of a file's stem (see ``stem_of``), with the outermost folder."""
    return re.split(r"[._-]", stem_of(path).lstrip("_"))[0] + "/" + path.split("/", 1)[0]


def tested_stem(path: str) -> str:
    """The stem of the file that a test tests, by its name: ``test_http.py`` and ``http_test.go`` give ``http``."""
    stem = stem_of(path)
    for _ in range(2):
        stem = _TEST_MARK.sub("", stem)
    return stem


def tested(evidence: Evidence) -> Scores:
    """Source files whose tests fit the task, found by name and by the imports of the tests."""
    title, prose = best_units(evidence, "title"), best_units(evidence, "prose")
    test_scores: Scores = {}
    for number in evidence.candidates:
        if evidence.file(number).kind == "test":
            test_scores[number] = max(1.5 * title.get(number, (0.0, 0))[0], prose.get(number, (0.0, 0))[0])
    best_score = max(test_scores.values(), default=0.0) or 1.0
    scores: Scores = {}
    for number in best(test_scores, TESTS, evidence, "test"):
        share = (test_scores[number] / best_score) ** 2
        stem = tested_stem(evidence.file(number).path)
        for other in evidence.having(STEM, [stem]).get(stem, ())[:12]:
            if evidence.is_source(other):
                scores[other] = scores.get(other, 0.0) + share
        imported = [other for other in evidence.index.neighbours(number)[0] if evidence.is_source(other)]
        for other in imported:
            scores[other] = scores.get(other, 0.0) + 0.3 * share / len(imported) ** 0.5
    return scores
