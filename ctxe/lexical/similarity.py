"""How similar two texts are, and which of many say the same thing twice."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence, Set

from ctxe.domain.value import dataclass
from ctxe.lexical.words import plain_words, terms

# Broder, "On the resemblance and containment of documents" (1997): runs of w words; 4 allows one changed word per line.
SHINGLE = 4


@dataclass(frozen=True, slots=True)
class Pair:
    """Two texts by their indexes in a list, the earlier one first, and their similarity from 0 to 1."""

    first: int
    second: int
    similarity: float


def shingles(text: str, size: int = SHINGLE) -> frozenset[tuple[str, ...]]:
    """Every run of ``size`` lower-case words; a shorter text is one run. Empty for a text without words."""
    words = plain_words(text)
    if not words:
        return frozenset()
    return frozenset(tuple(words[start : start + size]) for start in range(max(1, len(words) - size + 1)))


def jaccard(one: Set[object], other: Set[object]) -> float:
    """Shared members over all members: 1 when equal, 0 when nothing is shared or both are empty."""
    shared = len(one & other)
    return shared / (len(one) + len(other) - shared) if shared else 0.0


def topic_similarity(one: str, other: str) -> float:
    """Similarity of two titles or sentences by topic: shared terms over all terms, compared by stem."""
    return jaccard(set(terms(one)), set(terms(other)))


def wording_similarity(one: str, other: str) -> float:
    """Similarity of the wording of two short texts: 1 minus the share of characters inserted or deleted (0 to 1)."""
    from rapidfuzz.fuzz import ratio

    return ratio(one, other) / 100.0


def paragraphs(text: str) -> list[str]:
    """Blocks between blank lines, stripped, none empty; a fenced code block is never split."""
    blocks: list[str] = []
    block: list[str] = []
    fence = ""
    for line in text.splitlines():
        mark = re.match(r"\s{0,3}(```+|~~~+)", line)
        if mark and not fence:
            fence = mark[1]
        elif mark and mark[1].startswith(fence):
            fence = ""
        if line.strip() or fence:
            block.append(line)
        elif block:
            blocks.append("\n".join(block).strip())
            block = []
    return [*blocks, "\n".join(block).strip()] if block else blocks


def _candidates(sets: Sequence[Set[object]]) -> Iterator[tuple[int, int, int]]:
    """(earlier index, later index, number of shared members) for every two sets that share one."""
    having: dict[object, list[int]] = {}
    for later, members in enumerate(sets):
        shared: dict[int, int] = {}
        for member in members:
            for earlier in having.get(member, ()):
                shared[earlier] = shared.get(earlier, 0) + 1
            having.setdefault(member, []).append(later)
        for earlier in sorted(shared):
            yield earlier, later, shared[earlier]


def near_pairs(sets: Sequence[Set[object]], at_least: float) -> list[Pair]:
    """Pairs of sets whose Jaccard similarity is ``at_least`` (above 0) or more, in the order of the list.

    Time grows with the number of shared members, not with the square of the list, unless all share the same.
    """
    found = []
    for earlier, later, shared in _candidates(sets):
        similarity = shared / (len(sets[earlier]) + len(sets[later]) - shared)
        if similarity >= at_least:
            found.append(Pair(earlier, later, similarity))
    return sorted(found, key=lambda pair: (pair.first, pair.second))
