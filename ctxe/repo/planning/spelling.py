"""Wording reasons: the task's words as the task spells them, names of definitions shortened."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from ctxe.domain.pattern import pattern
from ctxe.lexical.words import identifier_parts, stem, terms
from ctxe.repo.planning.evidence import Evidence, units_in

LONGEST_NAME = 60
"""Most characters of a definition's title that a reason shows."""
_DULL = """add alreadi alway everi fix get happen instead like look make need one pleas see sinc someth still thing tri
use via want way work wrong"""
"""Search terms that convince nobody as a reason."""
_PROSE_VIEWS = frozenset(("title", "lead", "prose"))
_WORD = pattern(r"[^\W\d]\w+")


def whole(words: Sequence[str]) -> list[str]:
    """The words without those that are part of another of them."""
    lower = [word.lower() for word in words]
    return [word for word, small in zip(words, lower, strict=True)
            if not any(small in other and small != other for other in lower)]  # fmt: skip


def convincing(words: Sequence[str]) -> list[str]:
    """The search terms that convince as a reason; all when none does."""
    dull = _DULL.split()
    return [word for word in words if word not in dull] or list(words)


def listed_words(detail: str) -> list[str]:
    """The words that the text of a reason lists at its end."""
    return re.split(r" mentions? |^contains ", detail)[-1].lower().split(", ")


def short(title: str) -> str:
    """The title of a definition, or its last parts if it is long."""
    if len(title) <= LONGEST_NAME:
        return title
    end = title[-LONGEST_NAME:]
    return "…" + (end.partition(".")[2] or end)


def originals(evidence: Evidence) -> dict[str, str]:
    """For every search term, the first word of the task (or part of an identifier) that it was made from."""
    reading = evidence.reading
    originals: dict[str, str] = {}
    for word in _WORD.findall(f"{reading.title} {reading.prose[:20_000]} {reading.pasted[:6000]}"):
        pieces = identifier_parts(word)
        whole_term, *part_terms = terms(word) or [""]
        originals.setdefault(whole_term, word)
        for term in part_terms:
            originals.setdefault(term, next((piece for piece in pieces if stem(piece) == term), word))
    return originals


def words_inside(evidence: Evidence, numbers: frozenset[int]) -> Mapping[tuple[int, int], list[str]]:
    """The task's words in each (file, unit), rarest first; unit -1 stands for the whole file."""
    scored_words: dict[tuple[int, int], list[tuple[float, str]]] = {}

    for word, views in evidence.terms.items():
        if views.isdisjoint(_PROSE_VIEWS):
            continue
        worth = -evidence.rarity[word] * evidence.common.get(word, 1.0)
        for number, units in units_in(evidence.postings[word], numbers):
            for unit in (-1, *(packed >> 8 for packed in units)):
                scored_words.setdefault((number, unit), []).append((worth, word))
    return {key: [word for _, word in sorted(scored)] for key, scored in scored_words.items()}
