"""Finds what several instruction files repeat, and where they contradict each other, by paragraph and list item."""

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
"""Minimum Jaccard similarity (of runs of two words) of items that say the same, unless the difference changes the
meaning."""
NEAR = 0.4
"""Minimum similarity of items about the same thing, which may contradict each other in a few words."""
FEW = 4
"""Maximum differing words of a contradiction."""
COMMON = 40
"""Items that may share a run of words before the run is ignored as too common."""
RUN = 2
FEWEST = 3
"""Minimum words of an item that is compared; shorter ones (headings, single names) are not worth a notice."""

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
    """The texts without what an earlier one says; ``dropped`` are pairs (unit, the unit that says it)."""

    texts: tuple[str, ...]
    dropped: tuple[tuple[RuleUnit, RuleUnit], ...]
    conflicts: tuple[Conflict, ...]


def merge(texts: Sequence[str]) -> Merged:
    """Remove from each text the items that an earlier one has, nearly word for word.

    An item that differs in a number, a name in code or a negation is not removed but reported as a conflict.
    """
    units = [unit for number, text in enumerate(texts) for unit in units_of(text, number)]
    compared = [
        (place, unit) for place, unit in enumerate(units) if not unit.level and len(_words(unit.text)) >= FEWEST
    ]
    twins, conflicts = _pairs(compared)
    kept_units = [unit for place, unit in compared if place not in twins]
    conflicts += [*settings(kept_units, _words), *choices(kept_units, _words, stem)]
    conflicts += headings([unit for place, unit in enumerate(units) if place not in twins], _words)
    kept: list[list[tuple[int, RuleUnit]]] = [[] for _ in texts]
    for place, unit in enumerate(units):
        if place not in twins:
            kept[unit.file].append((place, unit))
    cut = {units[place].file for place in twins}
    merged = tuple(_text_of(kept[n], units) if n in cut else texts[n] for n in range(len(texts)))
    dropped = tuple((units[place], units[twin]) for place, twin in twins.items())
    return Merged(merged, dropped, _distinct(conflicts))


def _distinct(conflicts: Sequence[Conflict]) -> tuple[Conflict, ...]:
    """The conflicts in order; each pair of items occurs only once."""
    return tuple({(one.first, one.second): one for one in reversed(conflicts)}.values())[::-1]


def units_of(text: str, file: int = 0) -> Iterator[RuleUnit]:
    """The headings, paragraphs and list items of a Markdown text, in order.

    A code block stays with the list above it.
    """
    for block in paragraphs(text):
        heading = _HEADING.match(block)
        first, _, rest = block.partition("\n") if heading else ("", "", block)
        if heading:
            yield RuleUnit(file, first, len(heading[1]))
        if rest.strip("\n"):
            yield from (RuleUnit(file, item) for item in _items(rest.strip("\n")))


def _items(block: str) -> Iterator[str]:
    """The items of a list, each with its indented lines; any other block is a single item."""
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
    """Places that repeat an earlier place (place → earlier place), and contradictions."""
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
    for pair in near_pairs(_without_common([shingles(" ".join(words), RUN) for _, _, words in rest]), NEAR):
        (place, unit, words), (later, other, others) = rest[pair.first], rest[pair.second]
        if later in twins or unit.file == other.file:
            continue
        if _differ(unit.text, other.text, words, others):
            if len(set(words) ^ set(others)) <= FEW:
                conflicts.append(Conflict(unit, other))
        elif pair.similarity >= SAME and place not in twins:
            twins[later] = place
    return twins, conflicts


def _without_common(sets: Sequence[Set[object]]) -> list[Set[object]]:
    """The sets without members that more than COMMON of them have: these tell nothing and cost quadratic time."""
    spread = Counter(chain.from_iterable(sets))
    common = {member for member, times in spread.items() if times > COMMON}
    return [members - common for members in sets] if common else list(sets)


def _differ(one: str, other: str, words: list[str], others: list[str]) -> bool:
    """Whether the difference may change the meaning: a number, a negation, a path, or something in code."""
    if set(_CODE.findall(one)) != set(_CODE.findall(other)):
        return True
    changed = set(words) ^ set(others)
    return any(word in _NEGATION or any(c.isdigit() for c in word) or "/" in word for word in changed)


def _text_of(kept: Sequence[tuple[int, RuleUnit]], units: Sequence[RuleUnit]) -> str:
    """The rest of a text. A heading that lost everything below it is removed too; list items stay together."""
    live = [(place, unit) for n, (place, unit) in enumerate(kept) if not unit.level or _heading_needed(kept, n, units)]
    parts: list[str] = []
    for n, (_, unit) in enumerate(live):
        listed = n > 0 and _ITEM.match(unit.text) and _ITEM.match(live[n - 1][1].text)
        parts.append(("\n" if listed else "\n\n") + unit.text if n else unit.text)
    return "".join(parts)


def _heading_needed(kept: Sequence[tuple[int, RuleUnit]], at: int, units: Sequence[RuleUnit]) -> bool:
    """Whether anything is left below a heading, or nothing ever was."""
    place, heading = kept[at]
    for _, unit in kept[at + 1 :]:
        if unit.level and unit.level <= heading.level:
            break
        if not unit.level:
            return True
    after = units[place + 1] if place + 1 < len(units) else None
    return after is None or after.file != heading.file or 0 < after.level <= heading.level
