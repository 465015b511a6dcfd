"""Chooses the lines of a record greedily: always the one that adds most per token, until none of the rest fits.

Evaluation is lazy: the gain of a line is recomputed only when its last known gain is the highest.
"""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heappop, heappush

from ctxe.context.lines import HistoryEntry, names_in
from ctxe.context.survey import LineSightings
from ctxe.domain.value import dataclass

HEADING = 8.0
"""Approximate tokens of a heading's own line."""

TITLE_LINES = 3
"""Most lines of a title that a heading shows."""


@dataclass(slots=True)
class Topic:
    """Entries about the same thing, oldest first, under one heading of ``cost`` tokens."""

    entries: list[HistoryEntry]
    cost: float
    is_shown: bool = False
    is_required: bool = False

    @property
    def title(self) -> tuple[str, ...]:
        """What the newest entry asked for."""
        return tuple(line.strip() for line in self.entries[-1].title[:TITLE_LINES])

    @property
    def names(self) -> tuple[str, ...]:
        """The names in the heading."""
        return tuple(name for line in self.title for name in names_in(line))


Candidate = tuple[Topic, LineSightings, tuple[str, ...], float, float]
"""A line that may be chosen: its topic, its sightings, its names, its own worth, its price in tokens.

A plain tuple: a fold weighs tens of thousands, and creating objects would take longer than choosing from them.
"""


def choose_lines(
    candidates: Sequence[Candidate], left: dict[str, float], room: float
) -> list[tuple[Topic, LineSightings]]:
    """The lines that fit ``room`` tokens, best first; ties keep the order of ``candidates``.

    ``left`` is the remaining worth of each name; choosing a line sets its names to 0. A topic's first line pays for the
    heading.
    """
    queue = _LazyQueue(candidates, left)
    fitting = set(range(len(candidates)))
    order: list[tuple[Topic, LineSightings]] = []
    while fitting:
        i, gain = queue.pop()
        topic, seen, names, _, price = candidates[i]
        if gain > 0 and price > room and i in fitting:
            fitting = {other for other in fitting if candidates[other][-1] <= room}
        elif gain > 0 and (cost := price if topic.is_shown else price + topic.cost) <= room:
            room -= cost
            order.append((topic, seen))
            used = names if topic.is_shown else names + topic.names
            topic.is_shown = True
            left.update(dict.fromkeys(used, 0.0))
        fitting.discard(i)
    return order


class _LazyQueue:
    """Candidates by gain, the highest first.

    Most gains never fall: these candidates wait sorted, the best last. The few whose gain fell go to a small heap.
    """

    def __init__(self, candidates: Sequence[Candidate], left: dict[str, float]) -> None:
        self._candidates, self._left = candidates, left
        self._gains = [_gain(candidate, left) for candidate in candidates]
        self._waiting = sorted(range(len(candidates)), key=self._gains.__getitem__, reverse=True)[::-1]
        self._fallen: list[tuple[float, int]] = []

    def pop(self) -> tuple[int, float]:
        """Remove the candidate with the highest gain, or one whose gain has fallen to 0; its index and its gain."""
        gains, waiting, fallen = self._gains, self._waiting, self._fallen
        while True:
            if fallen and (not waiting or fallen[0] < (-gains[waiting[-1]], waiting[-1])):
                _, i = heappop(fallen)
            else:
                i = waiting.pop()
            gain = _gain(self._candidates[i], self._left)
            is_beaten = (waiting and gain < gains[waiting[-1]]) or (fallen and gain < -fallen[0][0])
            if gain <= 0 or not is_beaten:
                return i, gain
            heappush(fallen, (-gain, i))


def _gain(candidate: Candidate, left: dict[str, float]) -> float:
    """Worth per token. A line that needs a heading is charged half of one, since other lines will share it."""
    topic, _, names, worth, cost = candidate
    if names:
        worth += sum(map(left.__getitem__, names))
    return worth / (cost if topic.is_shown else cost + HEADING / 2)
