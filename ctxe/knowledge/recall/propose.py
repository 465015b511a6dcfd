"""Which entries could answer: the best of the postings of what is asked, and what is around them."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Iterable, Mapping
from itertools import islice

from ctxe.knowledge.recall.postings import Postings
from ctxe.knowledge.recall.reading import NAME, Question
from ctxe.knowledge.recall.signals import REACH, SlotSignals, Vector

TEXT = 0.05
"""Weight of every word of the question when candidates are proposed; what it finds is judged by the signals."""
TERMS_OF_A_FILE = 3
"""Among which what its rarest term counts is shared, as long as nobody knows which one that is."""
CANDIDATES = 64
NEAR = 24
"""Best candidates of which the turns around, and the entries they mention, are candidates too."""
MOST_POSTINGS = 8_000
"""Postings looked at for one question; the most frequent words beyond them propose nothing."""
SPARE = 3
"""Times as many entries as are wanted that are asked whether they may be found at all."""
EACH = 4
"""Of so many sums one is looked at to tell which are high."""
FEEDBACK_FROM, FEEDBACK_TERMS = 5, 15
"""Entries whose words are fed back, and how many words (tried on dialogue and decisions: 3 to 8, 10 to 20)."""

Allowed = Callable[[int], bool]


def candidates(look: SlotSignals, allowed: Allowed, weights: Mapping[str, float], most: int) -> dict[int, Vector]:
    """The signals of every slot that could be among the best ``most``."""
    postings, question = look.postings, look.question
    totals = _totals(postings, _words(question, weights))
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


def _words(question: Question, weights: Mapping[str, float]) -> Iterable[tuple[str, float]]:
    for term, weight in question.words.items():
        yield term, TEXT * weight + weights["head"] * (term in question.head)


def _totals(postings: Postings, asked: Iterable[tuple[str, float]]) -> dict[int, float]:
    """Weighted sums over the postings of terms, the rarest first."""
    found = sorted((-postings.rarity(term), term, weight) for term, weight in asked if postings.having(term))
    totals: dict[int, float] = {}
    seen = 0
    for common, term, weight in found:
        seen += postings.having(term)
        if seen > MOST_POSTINGS and totals:
            break
        times = -common * weight
        posting = postings.weighed(term)
        for slot, worth in zip(posting.slots, posting.worths, strict=True):
            totals[slot] = totals.get(slot, 0.0) + times * worth
    return totals


def _best(postings: Postings, totals: Mapping[int, float], allowed: Allowed, most: int) -> list[int]:
    """The slots of the highest sums; of equals the newest first."""
    order = postings.order
    enough = most * SPARE

    def above(floor: float) -> list[int]:
        scored = sorted([(-total, -order[slot], slot) for slot, total in totals.items() if total >= floor])
        return list(islice((slot for _, _, slot in scored if allowed(slot)), most))

    # Asking whether a slot is allowed costs more than comparing sums: only those near the top are asked, best first.
    # Where the top begins is judged by a sample; that it is about right is enough.
    sums = sorted(islice(totals.values(), 0, None, EACH), reverse=True)
    floor = sums[enough // EACH] if len(totals) > enough else 0.0
    found = above(floor)
    return above(-math.inf) if floor and len(found) < most else found


def _expansion(look: SlotSignals, totals: Mapping[int, float], allowed: Allowed) -> dict[str, float]:
    """Words that stand out in the entries that match best and that the question lacks; the strongest weighs 1.

    What speaks for an entry whatever is asked has no part in it: it would drown the question.
    """
    postings, words = look.postings, look.question.words
    gathered: dict[str, float] = {}
    for slot in _best(postings, totals, allowed, FEEDBACK_FROM):
        for term, times in postings.reading(slot).words.items():
            if term not in words:
                worth = totals[slot] * (1.0 + math.log(times)) * postings.rarity(term)
                gathered[term] = gathered.get(term, 0.0) + worth
    top = heapq.nsmallest(FEEDBACK_TERMS, gathered.items(), key=lambda pair: (-pair[1], pair[0]))
    return {term: worth / top[0][1] for term, worth in top} if top and top[0][1] > 0 else {}
