"""Filling a token budget with the lines a change would touch: as whole files, regions, outlines and names."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise

from ctxe.repo.indexing.line_tokens import of_name
from ctxe.repo.indexing.units import Unit
from ctxe.repo.planning.mix import Fitted
from ctxe.repo.planning.outline import blocks
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

FEWEST_OPENED, TOKENS_PER_FILE = 16, 400
"""Files whose lines may be shown: so many at least, and one more for so many tokens of budget."""
MOST_OPENED = 48
RESERVED_SHARE = 0.05
"""Share of the budget that is reserved for outlines and names."""
ALWAYS_OFFERED, LEAST_PROSPECT = 8, 20.0
"""Files, from the best on, that always offer their lines; another does when its chance times the room reaches this."""
SHORT_OUTLINE = 80
"""Tokens of one outline when there is little room."""
MOST_NAMES = 25
"""Most files that are listed by name only."""
LEAST_BUDGET = 120
"""Tokens below which nothing is packed."""

Reader = Callable[[str], "str | None"]
Offer = tuple[float, int, int, int, int]
"""(worth, file, first line, last line, tokens) of a block."""


def pack(ranking: Ranking, budget: int, read: Reader, fitted: Fitted) -> list[ShownFile]:
    """The ranked files as they are shown, best first, in ``budget`` tokens at most."""
    if budget < LEAST_BUDGET:
        return []
    order = ranking.order
    first = order[: min(MOST_OPENED, FEWEST_OPENED + budget // TOKENS_PER_FILE)]
    texts = ((number, read(ranking.evidence.file(number).path)) for number in first)
    opened = {
        number: opened_file for number, text in texts if (opened_file := open_file(ranking, number, text)) is not None
    }
    room = budget - int(RESERVED_SHARE * budget)
    spent = _choose(ranking, opened, room, fitted)
    _round_up(opened, room - spent)
    shown = {number: as_shown(file) for number, file in opened.items() if file.chosen}
    remaining = budget - sum(packed.tokens for packed in shown.values())
    for packed in _outlines(ranking, opened, shown, remaining):
        shown[packed.number] = packed
        remaining -= packed.tokens
    for packed in _names(ranking, order, shown, remaining):
        shown[packed.number] = packed
    return [shown[number] for number in order if number in shown]


def owners(units: Sequence[Unit], lines: int) -> list[int]:
    """For each line (from 0) the number of its unit, -1 for none."""
    owner_of = [-1] * lines
    for number, unit in enumerate(units):
        if unit.definition >= 0:
            last = min(unit.last, lines)
            owner_of[unit.first - 1 : last] = [number] * max(0, last - unit.first + 1)
    for number, unit in enumerate(units):
        if unit.definition < 0:
            for row in range(unit.first - 1, min(unit.last, lines)):
                if owner_of[row] == -1:
                    owner_of[row] = number
    return owner_of


def _choose(ranking: Ranking, opened: dict[int, OpenFile], room: int, fitted: Fitted) -> int:
    """Choose the blocks that are worth most per token, as long as they fit. Returns the tokens spent."""
    names = task_names(ranking.evidence)
    likely = chances_of({number: ranking.scores[number] for number in opened}, fitted.certainty, fitted.lean)
    offers: list[Offer] = []
    for place, (number, file) in enumerate(opened.items()):
        if place >= ALWAYS_OFFERED and likely[number] * room < LEAST_PROSPECT:
            continue
        owner = owners(file.inside.units, len(file.lines))
        unit_lines = [0] * len(file.inside.units)
        for unit in owner:
            if unit >= 0:
                unit_lines[unit] += 1
        chances = unit_chances(ranking.evidence, names, number, unit_lines, fitted.units)
        for block in blocks(file.inside.units, owner, file.inside.definitions, file.lines):
            rows = file.visible(block.first, block.last)
            if not rows:
                continue
            lines_in_unit = sum(owner[row - 1] == block.unit for row in rows)
            part = chances[block.unit] * lines_in_unit / unit_lines[block.unit]
            cost = sum(file.costs[row - 1] for row in rows) + MARKER * (len(rows) <= block.last - block.first)
            offers.append((likely[number] * part, number, block.first, block.last, cost))
    chosen, spent = pick(offers, {number: header(file.path) for number, file in opened.items()}, room)
    for number, lines in chosen.items():
        opened[number].chosen |= lines.difference(opened[number].licence)
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
        chosen_lines = chosen.get(number)
        price = cost + headers[number] + MARKER if chosen_lines is None else cost
        price += 0 if chosen_lines is None or chosen_lines & {first - 1, last + 1} else MARKER
        if spent + price <= room:
            spent += price
            chosen.setdefault(number, set()).update(range(first, last + 1))
    return chosen, spent


def chances_of(scores: Mapping[int, float], certainty: float, lean: float) -> dict[int, float]:
    """How likely the change touches each file: a logistic function of how far its score is below the best one."""
    best = max(scores.values(), default=0.0)
    return {number: 1.0 / (1.0 + math.exp(certainty * (best - score) - lean)) for number, score in scores.items()}


def _round_up(opened: dict[int, OpenFile], remaining: int) -> None:
    """Show a file whole when little of it is missing and the ``remaining`` tokens allow it, and close small gaps."""
    for file in opened.values():
        if not file.chosen:
            continue
        rows = file.visible(1, len(file.lines))
        total = sum(file.costs[row - 1] for row in rows)
        missing = total - sum(file.costs[row - 1] for row in file.chosen)
        if 0 < missing <= max(40, total // 8) and missing <= remaining:
            file.chosen.update(rows)
            remaining -= missing
            continue
        for first, last in _gaps(file.chosen):
            price = sum(file.costs[first - 1 : last])
            if price <= MARKER:
                file.chosen.update(range(first, last + 1))


def _gaps(chosen: set[int]) -> list[tuple[int, int]]:
    """The stretches between the chosen lines."""
    ranges = ranges_of(chosen)
    return [(before[1] + 1, after[0] - 1) for before, after in pairwise(ranges)]


def _outlines(
    ranking: Ranking, opened: dict[int, OpenFile], shown: dict[int, ShownFile], remaining: int
) -> Iterable[ShownFile]:
    """Outlines of files that the first files import or that import them, then of the next files."""
    index = ranking.evidence.index
    first = [number for number in opened if number in shown][:3]
    neighbours = [other for number in first for side in index.neighbours(number) for other in side]
    wanted = sorted(set(neighbours) & set(opened), key=lambda number: -ranking.scores[number])
    remaining = int(remaining * 0.7)
    most = min(LONGEST_OUTLINE, max(SHORT_OUTLINE, remaining // 3))
    for number in dict.fromkeys([*wanted, *opened]):
        if number in shown or number not in opened:
            continue
        packed = outlined(opened[number], most)
        if packed is not None and packed.tokens <= remaining:
            remaining -= packed.tokens
            yield packed


def _names(ranking: Ranking, order: list[int], shown: dict[int, ShownFile], remaining: int) -> Iterable[ShownFile]:
    """Further files by their names alone."""
    count = 0
    for number in order:
        if number in shown:
            continue
        path = ranking.evidence.file(number).path
        tokens = of_name(path)
        if tokens > remaining or count >= MOST_NAMES:
            return
        remaining -= tokens
        count += 1
        yield ShownFile(number, "name", tokens, path)
