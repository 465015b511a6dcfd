"""Lines that share most terms with what the user wants kept through a fold (``/compact FOCUS``).

They stand verbatim beside the record, under the step they come from. Later folds keep the same focus.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence

from ctxe.context.lines import HistoryEntry
from ctxe.context.tokens import Count
from ctxe.domain.conversation import Conversation
from ctxe.domain.section import Chunk
from ctxe.lexical.words import terms

FOCUS = "focus"
"""Id of the chunk; its ``why`` holds the user's words."""

SHARE = 0.10
"""Part of the usable tokens that the lines may take."""

BESIDE = 1
"""Lines shown on either side of a match, so that it can be understood."""


def focus_of(conversation: Conversation) -> str:
    """The focus of the newest fold; empty without one."""
    record = conversation.fold.record if conversation.fold else ()
    return next((chunk.why for chunk in record if chunk.id == FOCUS), "")


def focus_chunk(words: str, entries: Sequence[HistoryEntry], room: int, count: Count) -> Chunk | None:
    """The lines of ``entries`` (oldest first) that match ``words`` best, in ``room`` tokens; None without a match."""
    wanted = frozenset(terms(words))
    if not wanted:
        return None
    head = f"[The user asks to keep in sight: {words}]"
    best = sorted(_scored(wanted, entries), reverse=True)
    chosen: dict[int, set[int]] = {}
    spent = count(head)
    for _, e, n in best:
        around = range(max(0, n - BESIDE), min(len(entries[e].lines), n + BESIDE + 1))
        fresh = [place for place in around if place not in chosen.get(e, ())]
        cost = sum(count(entries[e].lines[place].text) + 1 for place in fresh) + (0 if e in chosen else 12)
        if spent + cost > room:
            break
        spent += cost
        chosen.setdefault(e, set()).update(fresh)
    text = "\n".join([head, *_shown(entries, chosen)])
    return Chunk(FOCUS, text, words) if chosen and count(text) <= room else None


def _scored(wanted: frozenset[str], entries: Sequence[HistoryEntry]) -> Iterator[tuple[float, int, int]]:
    """(score, entry, line) of every line with a wanted term, at its newest place; rare terms score higher."""
    found: dict[str, tuple[frozenset[str], int, int]] = {}
    for e, entry in enumerate(entries):
        for n, line in enumerate(entry.lines):
            if entry.what != "user" and (shared := wanted.intersection(terms(line.text))):
                found[line.core] = shared, e, n
    times = Counter(term for shared, _, _ in found.values() for term in shared)
    for shared, e, n in found.values():
        yield sum(1 / math.log(2 + times[term]) for term in sorted(shared)), e, n


def _shown(entries: Sequence[HistoryEntry], chosen: dict[int, set[int]]) -> Iterator[str]:
    for e in sorted(chosen):
        entry = entries[e]
        yield f"s{entry.step} {entry.what} {' '.join(entry.title)}".strip()
        yield from (entry.lines[place].text for place in sorted(chosen[e]))
