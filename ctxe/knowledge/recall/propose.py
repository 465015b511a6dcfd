"""Proposes candidates for a question: the best by postings of its terms, and their neighbours."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Iterable, Mapping
from itertools import islice

from ctxe.knowledge.recall.postings import Postings
from ctxe.knowledge.recall.reading import NAME, Question
from ctxe.knowledge.recall.signals import REACH, SlotSignals, Vector

TEXT = 0.05
"""Weight of each word of the question while candidates are proposed; the signals then judge what it finds."""
TERMS_OF_A_FILE = 3
"""The weight of a file's rarest term is divided by this, because it is not yet known which term that is."""
CANDIDATES = 64
NEAR = 24
"""Best candidates whose surrounding turns and mentioned entries become candidates too."""
MOST_POSTINGS = 8_000
"""Postings read for one question; the most frequent words beyond this propose nothing."""
SPARE = 3
"""Ratio of entries checked for permission to entries wanted."""
EACH = 4
"""One sum in this many is sampled to estimate which sums are high."""
FEEDBACK_FROM, FEEDBACK_TERMS = 5, 15
"""Entries whose words are fed back, and the number of words (tried on dialogue and decisions: 3 to 8, 10 to 20)."""

Allowed = Callable[[int], bool]


def candidates(look: SlotSignals, allowed: Allowed, weights: Mapping[str, float], most: int) -> dict[int, Vector]:
    """The signals of every slot that could be among the best ``most``."""
    postings, question = look.postings, look.question
    totals = _totals(postings, _weighted_words(question, weights))
    expansion = _expansion(look, totals, allowed)
    more = [(term, weight * weights["feedback"]) for term, weight in expansion.items()]
    more += [(f"{NAME}{term}", weights["names"]) for term in question.words]
    more += [(term, weights["id"]) for term in question.ids]
    more += [(term, weights["files"] + weights["file"] / TERMS_OF_A_FILE) for term in question.files]
    for slot, worth in _totals(postings, more).items():
        totals[slot] = totals.get(slot, 0.0) + worth
    for slot, recent in look.recents(totals):
        totals[slot] += weights["recent"] * recent
    chosen = _best(postings, totals, allowed, max(most, CANDIDATES))
    around = postings.around
    near = [other for slot in chosen[:NEAR] for other in (*around.turns(slot, REACH), *around.mentioned(slot))]
    near = [other for other in dict.fromkeys(near) if allowed(other)]
    return look.vectors([*dict.fromkeys([*chosen, *near])], expansion)


def _weighted_words(question: Question, weights: Mapping[str, float]) -> Iterable[tuple[str, float]]:
    for term, weight in question.words.items():
        yield term, TEXT * weight + weights["head"] * (term in question.head)


def _totals(postings: Postings, asked: Iterable[tuple[str, float]]) -> dict[int, float]:
    """Weighted sums over the postings of the terms, rarest terms first, within MOST_POSTINGS."""
    found = sorted((-postings.rarity(term), term, weight) for term, weight in asked if postings.having(term))
    totals: dict[int, float] = {}
    seen = 0
    for common, term, weight in found:
        seen += postings.having(term)
        if seen > MOST_POSTINGS and totals:
            break
        times = -common * weight
        posting = postings.weighed(term)
        for slot, weight_there in zip(posting.slots, posting.worths, strict=True):
            totals[slot] = totals.get(slot, 0.0) + times * weight_there
    return totals


def _best(postings: Postings, totals: Mapping[int, float], allowed: Allowed, most: int) -> list[int]:
    """The allowed slots with the highest sums; among equal sums the newest first."""
    order = postings.order
    enough = most * SPARE

    def above(floor: float) -> list[int]:
        scored = sorted([(-total, -order[slot], slot) for slot, total in totals.items() if total >= floor])
        return list(islice((slot for _, _, slot in scored if allowed(slot)), most))

    # Checking whether a slot is allowed costs more than comparing sums, so only slots near the top are checked, best
    # first. A sample gives the approximate sum at which the top begins; that is accurate enough.
    sums = sorted(islice(totals.values(), 0, None, EACH), reverse=True)
    floor = sums[enough // EACH] if len(totals) > enough else 0.0
    found = above(floor)
    return above(-math.inf) if floor and len(found) < most else found


def _expansion(look: SlotSignals, totals: Mapping[int, float], allowed: Allowed) -> dict[str, float]:
    """Distinctive words of the best matches that the question lacks, with weights; the highest weight is 1.

    Signals that do not depend on the question are left out: they would drown it.
    """
    postings, words = look.postings, look.question.words
    weights: dict[str, float] = {}
    for slot in _best(postings, totals, allowed, FEEDBACK_FROM):
        for term, times in postings.reading(slot).words.items():
            if term not in words:
                worth = totals[slot] * (1.0 + math.log(times)) * postings.rarity(term)
                weights[term] = weights.get(term, 0.0) + worth
    top = heapq.nsmallest(FEEDBACK_TERMS, weights.items(), key=lambda pair: (-pair[1], pair[0]))
    return {term: worth / top[0][1] for term, worth in top} if top and top[0][1] > 0 else {}
