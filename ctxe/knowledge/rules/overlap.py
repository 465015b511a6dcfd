"""What several instruction files say twice, and where they contradict each other, by paragraph and list item."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence, Set
from itertools import chain

from ctxe.domain.pattern import pattern
from ctxe.domain.value import dataclass
from ctxe.knowledge.rules.contradictions import Conflict, RuleUnit, choices, headings, settings
from ctxe.lexical.similarity import near_pairs, paragraphs, shingles
from ctxe.lexical.words import stem

SAME = 0.7
"""Shared runs of two words over all from which two items say the same, unless what differs has a meaning."""
NEAR = 0.4
"""The same from which two items are about one thing and may contradict each other in a few words."""
FEW = 4
"""Words in which a contradiction differs at most."""
COMMON = 40
"""Items that may share a run of words before it says nothing about any of them."""
RUN = 2
FEWEST = 3
"""Words of an item that is compared: shorter ones (headings, single names) are worth no note."""

_ITEM = pattern(r"\s{0,3}(?:[-*+]|\d{1,3}[.)])\s+")
_HEADING = pattern(r"(#{1,6})\s+(.+)")
_MARKUP = pattern(r"[*_`\"'“”‘’]+|^\s*(?:[-*+]|\d{1,3}[.)]|#{1,6}|>)\s+", re.MULTILINE)
_WORD = pattern(r"[\w./@+-]*\w[\w/@+-]*|\d+")
_NEGATION = frozenset(
    re.findall(
        r"\S+",
        """not never no none dont don't without avoid except instead disable disabled off false forbid forbidden always
        must only require required enable enabled on true allow allowed""",
    )
)
_CODE = pattern(r"`([^`]+)`")


@dataclass(frozen=True, slots=True)
class Merged:
    """Texts with what an earlier one said already taken out; ``dropped`` are (unit, the unit that says it)."""

    texts: tuple[str, ...]
    dropped: tuple[tuple[RuleUnit, RuleUnit], ...]
    conflicts: tuple[Conflict, ...]


def merge(texts: Sequence[str]) -> Merged:
    """Say each thing once: an item of a later text that an earlier one has (nearly word for word) is left out.

    Nearly the same with another number, name in code, or a not is no repetition: it stays and is a conflict.
    """
    units = [unit for number, text in enumerate(texts) for unit in units_of(text, number)]
    compared = [
        (place, unit) for place, unit in enumerate(units) if not unit.level and len(_words(unit.text)) >= FEWEST
    ]
    twins, conflicts = _pairs(compared)
    said = [unit for place, unit in compared if place not in twins]
    conflicts += [*settings(said, _words), *choices(said, _words, stem)]
    conflicts += headings([unit for place, unit in enumerate(units) if place not in twins], _words)
    kept: list[list[tuple[int, RuleUnit]]] = [[] for _ in texts]
    for place, unit in enumerate(units):
        if place not in twins:
            kept[unit.file].append((place, unit))
    cut = {units[place].file for place in twins}
    told = tuple(_joined(kept[n], units) if n in cut else texts[n] for n in range(len(texts)))
    dropped = tuple((units[place], units[twin]) for place, twin in twins.items())
    return Merged(told, dropped, _each_once(conflicts))


def _each_once(conflicts: Sequence[Conflict]) -> tuple[Conflict, ...]:
    """Conflicts in order; two items are told once however they contradict each other."""
    return tuple({(one.first, one.second): one for one in reversed(conflicts)}.values())[::-1]


def units_of(text: str, file: int = 0) -> Iterator[RuleUnit]:
    """The units of a Markdown text in order; a code block stays with what introduces it."""
    for block in paragraphs(text):
        heading = _HEADING.match(block)
        first, _, rest = block.partition("\n") if heading else ("", "", block)
        if heading:
            yield RuleUnit(file, first, len(heading[1]))
        if rest.strip("\n"):
            yield from (RuleUnit(file, item) for item in _items(rest.strip("\n")))


def _items(block: str) -> Iterator[str]:
    """The items of a list, each with its indented lines; any other block whole."""
    lines = block.split("\n")
    if not _ITEM.match(lines[0]) or "```" in block:
        yield block
        return
    item: list[str] = []
    for line in lines:
        if item and _ITEM.match(line) and len(line) - len(line.lstrip()) <= len(item[0]) - len(item[0].lstrip()):
            yield "\n".join(item)
            item = []
        item.append(line)
    yield "\n".join(item)


def _words(text: str) -> list[str]:
    return _WORD.findall(_MARKUP.sub(" ", text).lower())


def _pairs(compared: Sequence[tuple[int, RuleUnit]]) -> tuple[dict[int, int], list[Conflict]]:
    """Places that repeat an earlier place, and contradictions."""
    twins: dict[int, int] = {}
    first: dict[tuple[str, ...], tuple[int, int]] = {}
    rest: list[tuple[int, RuleUnit, list[str]]] = []
    for place, unit in compared:
        words = _words(unit.text)
        known, file = first.setdefault(tuple(words), (place, unit.file))
        if file != unit.file:
            twins[place] = known
        elif known == place:
            rest.append((place, unit, words))
    conflicts: list[Conflict] = []
    for pair in near_pairs(_rare([shingles(" ".join(words), RUN) for _, _, words in rest]), NEAR):
        (place, unit, words), (later, other, others) = rest[pair.first], rest[pair.second]
        if later in twins or unit.file == other.file:
            continue
        if _differ(unit.text, other.text, words, others):
            if len(set(words) ^ set(others)) <= FEW:
                conflicts.append(Conflict(unit, other))
        elif pair.alike >= SAME and place not in twins:
            twins[later] = place
    return twins, conflicts


def _rare(sets: Sequence[Set[object]]) -> list[Set[object]]:
    """The sets without what very many of them share: it tells nothing and would cost the square of their number."""
    spread = Counter(chain.from_iterable(sets))
    common = {member for member, times in spread.items() if times > COMMON}
    return [members - common for members in sets] if common else list(sets)


def _differ(one: str, other: str, words: list[str], others: list[str]) -> bool:
    """Whether what differs may change the meaning: a number, a negation, something in code."""
    if set(_CODE.findall(one)) != set(_CODE.findall(other)):
        return True
    changed = set(words) ^ set(others)
    return any(word in _NEGATION or any(c.isdigit() for c in word) or "/" in word for word in changed)


def _joined(kept: Sequence[tuple[int, RuleUnit]], units: Sequence[RuleUnit]) -> str:
    """What is left of a text; a heading that lost all below it goes too, list items stay together."""
    live = [(place, unit) for n, (place, unit) in enumerate(kept) if not unit.level or _heads(kept, n, units)]
    parts: list[str] = []
    for n, (_, unit) in enumerate(live):
        listed = n > 0 and _ITEM.match(unit.text) and _ITEM.match(live[n - 1][1].text)
        parts.append(("\n" if listed else "\n\n") + unit.text if n else unit.text)
    return "".join(parts)


def _heads(kept: Sequence[tuple[int, RuleUnit]], at: int, units: Sequence[RuleUnit]) -> bool:
    """Whether something stands below a heading, or nothing ever stood there."""
    place, heading = kept[at]
    for _, unit in kept[at + 1 :]:
        if unit.level and unit.level <= heading.level:
            break
        if not unit.level:
            return True
    after = units[place + 1] if place + 1 < len(units) else None
    return after is None or after.file != heading.file or 0 < after.level <= heading.level
