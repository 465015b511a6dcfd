"""Signals from the words of the task: how well they fit a file, its best units, its names and its path."""

from __future__ import annotations

from ctxe.lexical.bm25 import idf
from ctxe.repo.indexing.scan import NAMED, PATH
from ctxe.repo.indexing.statistics import FILE_K1
from ctxe.repo.planning.evidence import UNIT_BITS, Evidence, Scores

PATH_WEIGHT = 0.6
"""The weight of words in the path, added to the units of the file."""
FURTHER = (1.0, 0.5, 0.25, 0.12, 0.06)
"""The weights of a file's best units, best first."""


def best_units(evidence: Evidence, view: str) -> dict[int, tuple[float, int]]:
    """For every candidate the score and number of the unit that fits a view best, words in its name included."""
    names = evidence.unit_names.get(view, {})
    best: dict[int, tuple[float, int]] = {}
    for key, score in evidence.units[view].items():
        total = score + names.get(key, 0.0)
        number = key >> UNIT_BITS
        if number not in best or total > best[number][0]:
            best[number] = (total, key & (1 << UNIT_BITS) - 1)
    return best


def _several(evidence: Evidence, view: str) -> Scores:
    """The weighted sum of every candidate's best units for a view, words in names and path included."""
    names = evidence.unit_names.get(view, {})
    scores: dict[int, list[float]] = {}
    for key, score in evidence.units[view].items():
        scores.setdefault(key >> UNIT_BITS, []).append(score + names.get(key, 0.0))
    paths = _paths(evidence, view, 0.5)
    return {
        number: PATH_WEIGHT * paths.get(number, 0.0)
        + sum(score * share for score, share in zip(sorted(unit_scores, reverse=True), FURTHER, strict=False))
        for number, unit_scores in scores.items()
    }


def _best(evidence: Evidence, view: str) -> Scores:
    return {number: score for number, (score, _) in best_units(evidence, view).items()}


def title_unit(evidence: Evidence) -> Scores:
    """The best unit for the title."""
    return _best(evidence, "title")


def prose_unit(evidence: Evidence) -> Scores:
    """The best unit for the prose."""
    return _best(evidence, "prose")


def code_unit(evidence: Evidence) -> Scores:
    """The best unit for the code-shaped words."""
    return _best(evidence, "code")


def title_units(evidence: Evidence) -> Scores:
    """The best units for the title together."""
    return _several(evidence, "title")


def lead_units(evidence: Evidence) -> Scores:
    """The best units for the first words together."""
    return _several(evidence, "lead")


def prose_units(evidence: Evidence) -> Scores:
    """The best units for the prose together."""
    return _several(evidence, "prose")


def code_units(evidence: Evidence) -> Scores:
    """The best units for the code-shaped words together."""
    return _several(evidence, "code")


def title_file(evidence: Evidence) -> Scores:
    """The whole file for the title."""
    return evidence.files["title"]


def lead_file(evidence: Evidence) -> Scores:
    """The whole file for the first words."""
    return evidence.files["lead"]


def prose_file(evidence: Evidence) -> Scores:
    """The whole file for the prose."""
    return evidence.files["prose"]


def paste_file(evidence: Evidence) -> Scores:
    """The whole file for pasted text."""
    return evidence.files["paste"]


def compound_file(evidence: Evidence) -> Scores:
    """The whole file for identifiers that neighbouring words of the task would make."""
    return evidence.files["compound"]


def fault_units(evidence: Evidence) -> Scores:
    """The best units for error messages together."""
    return _several(evidence, "fault")


def title_names(evidence: Evidence) -> Scores:
    """Words of the title in the names that a file defines."""
    return _names(evidence, "title")


def code_names(evidence: Evidence) -> Scores:
    """Words of the code-shaped words in the names that a file defines."""
    return _names(evidence, "code")


def _names(evidence: Evidence, view: str) -> Scores:
    total, norms = max(1, evidence.index.files.statistics.documents), evidence.index.files.statistics.norms
    scores: Scores = {}
    for word, weight in evidence.views[view].items():
        posting = evidence.postings.get(NAMED + word)
        if not posting:
            continue
        heads = posting[0]
        worth = weight * idf(total, len(heads) // 2) * (FILE_K1 + 1.0)
        for number, packed in zip(heads[::2], heads[1::2], strict=True):
            times = packed >> 16
            scores[number] = scores.get(number, 0.0) + worth * times / (times + norms[number])
    return scores


def title_path(evidence: Evidence) -> Scores:
    """Words of the title in the path."""
    return _paths(evidence, "title")


def prose_path(evidence: Evidence) -> Scores:
    """Words of the prose in the path."""
    return _paths(evidence, "prose")


def _paths(evidence: Evidence, view: str, damping: float = 1.0) -> Scores:
    total = max(1, len(evidence.index.files))
    scores: Scores = {}
    for word, weight in evidence.views[view].items():
        posting = evidence.postings.get(PATH + word)
        if posting:
            worth = weight * evidence.common.get(word, 1.0) ** damping * idf(total, len(posting[0]) // 2)
            for number in posting[0][::2]:
                scores[number] = scores.get(number, 0.0) + worth
    return scores
