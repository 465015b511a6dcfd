"""How reasons spell what they name: words of the task as it has them, names that are not too long."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from ctxe.domain.pattern import pattern
from ctxe.lexical.words import parts, stem, terms
from ctxe.repo.planning.evidence import Evidence

LONGEST_NAME = 60
"""Characters of a definition's name, with what it stands in, that are told."""
_DULL = """add alreadi alway everi fix get happen instead like look make need one pleas see sinc someth still thing tri
use via want way work wrong"""
"""Search terms that persuade nobody."""
_WORD = pattern(r"[^\W\d]\w+")


def whole(words: Sequence[str]) -> list[str]:
    """The words without those that are part of another one."""
    lower = [word.lower() for word in words]
    return [word for word, small in zip(words, lower, strict=True)
            if not any(small in other and small != other for other in lower)]  # fmt: skip


def persuading(words: Sequence[str]) -> list[str]:
    """The search terms that somebody would take for a reason; all where there is none."""
    dull = _DULL.split()
    return [word for word in words if word not in dull] or list(words)


def said(detail: str) -> list[str]:
    """The words that a reason lists at its end."""
    return re.split(r" (?:of|uses) |^uses ", detail)[-1].lower().split(", ")


def short(title: str) -> str:
    """The name of a definition; of one that is nested deep its last parts."""
    if len(title) <= LONGEST_NAME:
        return title
    end = title[-LONGEST_NAME:]
    return "…" + (end.partition(".")[2] or end)


def originals(evidence: Evidence) -> dict[str, str]:
    """For every search term the first word, or part of an identifier, of the task that gave it."""
    reading = evidence.reading
    found: dict[str, str] = {}
    for word in _WORD.findall(f"{reading.title} {reading.prose[:20_000]} {reading.pasted[:6000]}"):
        pieces = parts(word)
        whole, *some = terms(word) or [""]
        found.setdefault(whole, word)
        for term in some:
            found.setdefault(term, next((piece for piece in pieces if stem(piece) == term), word))
    return found


def words_inside(evidence: Evidence, numbers: frozenset[int]) -> Mapping[tuple[int, int], list[str]]:
    """For files (unit -1) and their units the words of the task in them, the most telling first."""
    found: dict[tuple[int, int], list[tuple[float, str]]] = {}
    spoken = frozenset(("title", "lead", "prose"))
    for word, views in evidence.terms.items():
        if views.isdisjoint(spoken):
            continue
        worth = -evidence.rarity[word] * evidence.common.get(word, 1.0)
        heads, units = evidence.postings[word]
        place = 0
        for number, packed in zip(heads[::2], heads[1::2], strict=True):
            count = packed & 0xFFFF
            if number in numbers:
                found.setdefault((number, -1), []).append((worth, word))
                for one in units[place : place + count]:
                    found.setdefault((number, one >> 8), []).append((worth, word))
            place += count
    return {key: [word for _, word in sorted(some)] for key, some in found.items()}
