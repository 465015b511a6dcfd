"""Filling a token budget with the lines a change would touch: as whole files, regions, outlines and names."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise

from ctxe.repo.indexing.line_tokens import of_name
from ctxe.repo.indexing.units import Unit
from ctxe.repo.planning.mix import Fitted
from ctxe.repo.planning.outline import Block, blocks
from ctxe.repo.planning.ranking import Ranking
from ctxe.repo.planning.relevance import task_names, unit_chances
from ctxe.repo.planning.showing import (
    LONGEST_OUTLINE,
    MARKER,
    OpenFile,
    ShownFile,
    as_shown,
    header,
    open_file,
    outlined,
    ranges_of,
)

LOOKED_AT, MORE_LOOKED_AT = 16, 400
"""Files whose lines may be shown: so many at least, and one more for so many tokens of budget."""
MOST_LOOKED_AT = 48
ASIDE = 0.05
"""Share of the budget that is reserved for outlines and names."""
CERTAIN, HOPELESS = 8, 20.0
"""Files, from the best on, that always offer their lines; another does when its chance times the room reaches this."""
SHORT_OUTLINE = 80
"""Tokens of one outline when there is little room."""
NAMES = 25
"""Files that are listed by name only, at most."""
LEAST = 120
"""Tokens below which nothing is packed."""

Reader = Callable[[str], "str | None"]
Offer = tuple[float, int, int, int, int]
"""(worth, file, first line, last line, tokens) of a block."""


def pack(ranking: Ranking, budget: int, read: Reader, fitted: Fitted) -> list[ShownFile]:
    """What to show of the ranked files, best first, in ``budget`` tokens at most."""
    if budget < LEAST:
        return []
    order = ranking.order
    first = order[: min(MOST_LOOKED_AT, LOOKED_AT + budget // MORE_LOOKED_AT)]
    texts = ((number, read(ranking.evidence.file(number).path)) for number in first)
    opened = {number: found for number, text in texts if (found := open_file(ranking, number, text)) is not None}
    room = budget - int(ASIDE * budget)
    spent = _choose(ranking, opened, room, fitted)
    _round_up(opened, room - spent)
    shown = {number: as_shown(one) for number, one in opened.items() if one.chosen}
    left = budget - sum(packed.tokens for packed in shown.values())
    for packed in _outlines(ranking, opened, shown, left):
        shown[packed.number] = packed
        left -= packed.tokens
    for packed in _names(ranking, order, shown, left):
        shown[packed.number] = packed
    return [shown[number] for number in order if number in shown]


def owners(units: Sequence[Unit], lines: int) -> list[int]:
    """For each line (from 0) the number of its unit, -1 for none."""
    found = [-1] * lines
    for number, unit in enumerate(units):
        if unit.definition >= 0:
            last = min(unit.last, lines)
            found[unit.first - 1 : last] = [number] * max(0, last - unit.first + 1)
    for number, unit in enumerate(units):
        if unit.definition < 0:
            for row in range(unit.first - 1, min(unit.last, lines)):
                if found[row] == -1:
                    found[row] = number
    return found


def _choose(ranking: Ranking, opened: dict[int, OpenFile], room: int, fitted: Fitted) -> int:
    """Choose the blocks that are worth most per token, as long as they fit. Returns the tokens spent."""
    said = task_names(ranking.evidence)
    likely = chances_of({number: ranking.scores[number] for number in opened}, fitted.certainty, fitted.lean)
    offers: list[Offer] = []
    for place, (number, one) in enumerate(opened.items()):
        if place >= CERTAIN and likely[number] * room < HOPELESS:
            continue
        owner = owners(one.inside.units, len(one.lines))
        own = [0] * len(one.inside.units)
        for unit in owner:
            if unit >= 0:
                own[unit] += 1
        chances = unit_chances(ranking.evidence, said, number, own, fitted.units)
        for block in blocks(one.inside.units, owner, one.inside.definitions, one.lines):
            mine = owner[block.first - 1 : block.last].count(block.unit)
            part = chances[block.unit] * mine / own[block.unit]
            offers.append((likely[number] * part, number, block.first, block.last, _cost(one, block)))
    chosen, spent = pick(offers, {number: header(one.path) for number, one in opened.items()}, room)
    for number, lines in chosen.items():
        opened[number].chosen |= lines
    return spent


def pick(offers: Iterable[Offer], headers: Mapping[int, int], room: int) -> tuple[dict[int, set[int]], int]:
    """The lines to show of each file, taken in the order of worth per token, and the tokens they cost."""
    order = {number: place for place, number in enumerate(headers)}
    heap = [(-worth / (cost + MARKER), order[number], number, first, last, cost)
            for worth, number, first, last, cost in offers]  # fmt: skip
    heapq.heapify(heap)
    chosen: dict[int, set[int]] = {}
    spent = 0
    while heap:
        _, _, number, first, last, cost = heapq.heappop(heap)
        mine = chosen.get(number)
        price = cost + headers[number] + MARKER if mine is None else cost
        price += 0 if mine is None or mine & {first - 1, last + 1} else MARKER
        if spent + price <= room:
            spent += price
            chosen.setdefault(number, set()).update(range(first, last + 1))
    return chosen, spent


def chances_of(scores: Mapping[int, float], certainty: float, lean: float) -> dict[int, float]:
    """How likely the change touches each file: a logistic function of how far its score is below the best one."""
    most = max(scores.values(), default=0.0)
    return {number: 1.0 / (1.0 + math.exp(certainty * (most - score) - lean)) for number, score in scores.items()}


def _cost(one: OpenFile, block: Block) -> int:
    return sum(one.costs[block.first - 1 : block.last])


def _round_up(opened: dict[int, OpenFile], left: int) -> None:
    """Show a file whole when little of it is missing and ``left`` tokens allow it, and close small gaps."""
    for one in opened.values():
        if not one.chosen:
            continue
        total = sum(one.costs)
        missing = total - sum(one.costs[row - 1] for row in one.chosen)
        if 0 < missing <= max(40, total // 8) and missing <= left:
            one.chosen.update(range(1, len(one.lines) + 1))
            left -= missing
            continue
        for first, last in _gaps(one.chosen):
            price = sum(one.costs[first - 1 : last])
            if price <= MARKER:
                one.chosen.update(range(first, last + 1))


def _gaps(chosen: set[int]) -> list[tuple[int, int]]:
    """The stretches between the chosen lines."""
    ranges = ranges_of(chosen)
    return [(one[1] + 1, other[0] - 1) for one, other in pairwise(ranges)]


def _outlines(
    ranking: Ranking, opened: dict[int, OpenFile], shown: dict[int, ShownFile], left: int
) -> Iterable[ShownFile]:
    """Outlines of files that the first files import or that import them, then of the next files."""
    index = ranking.evidence.index
    first = [number for number in opened if number in shown][:3]
    around = [other for number in first for side in index.neighbours(number) for other in side]
    wanted = sorted(set(around) & set(opened), key=lambda number: -ranking.scores[number])
    left = int(left * 0.7)
    most = min(LONGEST_OUTLINE, max(SHORT_OUTLINE, left // 3))
    for number in dict.fromkeys([*wanted, *opened]):
        if number in shown or number not in opened:
            continue
        packed = outlined(opened[number], most)
        if packed is not None and packed.tokens <= left:
            left -= packed.tokens
            yield packed


def _names(ranking: Ranking, order: list[int], shown: dict[int, ShownFile], left: int) -> Iterable[ShownFile]:
    """Further files by their names alone."""
    count = 0
    for number in order:
        if number in shown:
            continue
        path = ranking.evidence.file(number).path
        tokens = of_name(path)
        if tokens > left or count >= NAMES:
            return
        left -= tokens
        count += 1
        yield ShownFile(number, "name", tokens, path)
