"""Choosing the lines of a record: always the one that adds most per token, until none that is left has room.

Greedily, and lazily: what a line adds is judged again only when its turn has come by what it was worth before.
"""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heappop, heappush

from ctxe.context.lines import HistoryEntry, names_in
from ctxe.context.survey import Sightings
from ctxe.domain.value import dataclass

HEADING = 8.0
"""Tokens of a heading's own line, about."""

TITLE_LINES = 3
"""Lines of what was asked for that a heading shows."""


@dataclass(slots=True)
class Topic:
    """Entries about the same thing, oldest first, under one heading of so many tokens; ``open`` once it is shown."""

    entries: list[HistoryEntry]
    cost: float
    open: bool = False
    must: bool = False

    @property
    def title(self) -> tuple[str, ...]:
        """What was asked for last."""
        return tuple(line.strip() for line in self.entries[-1].title[:TITLE_LINES])

    @property
    def named(self) -> tuple[str, ...]:
        """The names that its heading shows."""
        return tuple(name for line in self.title for name in names_in(line))


Candidate = tuple[Topic, Sightings, tuple[str, ...], float, float]
"""A line that may be chosen: its topic, where it stood, its names, its own worth, its price in tokens.

A plain tuple, since a fold weighs tens of thousands of them: objects would take longer to make than to choose from."""


def chosen(candidates: Sequence[Candidate], left: dict[str, float], room: float) -> list[tuple[Topic, Sightings]]:
    """The lines that have room, best first; of equals the first.

    ``left`` is what each name is still worth; it is used up. A first line of a topic pays for the heading.
    """
    gains = [_gain(candidate, left) for candidate in candidates]
    # Most never lose worth: they wait sorted, the best last. Those that did are few, and a heap of their own is small.
    waiting = sorted(range(len(candidates)), key=gains.__getitem__, reverse=True)[::-1]
    again: list[tuple[float, int]] = []
    fitting = set(waiting)
    order: list[tuple[Topic, Sightings]] = []
    while fitting:
        if again and (not waiting or again[0] < (-gains[waiting[-1]], waiting[-1])):
            _, i = heappop(again)
        else:
            i = waiting.pop()
        topic, seen, names, _, price = candidates[i]
        gain = _gain(candidates[i], left)
        if gain > 0 and ((waiting and gain < gains[waiting[-1]]) or (again and gain < -again[0][0])):
            heappush(again, (-gain, i))
            continue
        if gain > 0 and price > room and i in fitting:
            fitting = {other for other in fitting if candidates[other][-1] <= room}
        elif gain > 0 and (cost := price if topic.open else price + topic.cost) <= room:
            room -= cost
            order.append((topic, seen))
            used = names if topic.open else names + topic.named
            topic.open = True
            left.update(dict.fromkeys(used, 0.0))
        fitting.discard(i)
    return order


def _gain(candidate: Candidate, left: dict[str, float]) -> float:
    """Worth per token; half a heading is charged to a line that needs one, since others will share it."""
    topic, _, names, worth, cost = candidate
    if names:
        worth += sum(map(left.__getitem__, names))
    return worth / (cost if topic.open else cost + HEADING / 2)
