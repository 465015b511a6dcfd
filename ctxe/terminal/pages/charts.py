"""Charts of a session as SVG: the context of every request as stacked areas, and the price of each request.

Each request is a column one unit wide; heights are per cent of the chart. The page stretches both to its width, so
nothing here has round parts or text: labels and marks are HTML, positioned in per cent.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING

from ctxe.domain.ledger import Ledger
from ctxe.domain.section import Priority
from ctxe.domain.value import dataclass
from ctxe.safety.display import visible

if TYPE_CHECKING:
    from ctxe.domain.past import SentRequest

LEAST_COLUMNS = 16
"""Minimum columns of a chart: with fewer requests, a chart of full width would make each column a wall."""
ROOM_ABOVE = 1.06
NEAR = 2.5
"""The limit is drawn if it is at most this many times the fullest request; otherwise the chart would be flat."""

KINDS = {
    "tools": "tools",
    "rules": "rules",
    "instructions": "instructions",
    "memory": "memory",
    "recalled": "memory",
    "skills": "skills",
    "skills for this task": "skills",
    "files": "files",
    "named files": "files",
    "record": "record",
    "task": "task",
    "conversation": "conversation",
}
BY_PRIORITY = {
    Priority.SYSTEM: "rules",
    Priority.TOOLS: "tools",
    Priority.TASK: "task",
    Priority.MEMORY: "memory",
    Priority.INJECTED: "files",
    Priority.RECENT: "conversation",
    Priority.OLDER: "conversation",
}


@dataclass(frozen=True, slots=True)
class Area:
    """A section over time: its name, its colour class, and its tokens in each request (0 if absent)."""

    name: str
    kind: str
    tokens: tuple[int, ...]


def areas(requests: Sequence[SentRequest]) -> list[Area]:
    """The sections of all requests in the order in which they are sent; the conversation is on top."""
    kinds: dict[str, str] = {}
    sizes = [_sizes(sent.ledger, kinds) for sent in requests]
    order = list(KINDS)
    names = sorted(kinds, key=lambda name: order.index(name) if name in order else len(order) - 2.5)
    return [Area(name, kinds[name], tuple(size.get(name, 0) for size in sizes)) for name in names]


def _sizes(ledger: Ledger, kinds: dict[str, str]) -> dict[str, int]:
    """Tokens by section; adds the colour class of each section to ``kinds``."""
    found: dict[str, int] = {}
    for row in ledger.rows:
        if row.given:
            kinds.setdefault(row.section, KINDS.get(row.section, BY_PRIORITY[row.priority]))
            found[row.section] = found.get(row.section, 0) + row.given
    return found


def ceiling(requests: Sequence[SentRequest]) -> int:
    """Tokens at the top of the chart: slightly above the limit if it is near, otherwise above the fullest request."""
    most = max((sent.ledger.used for sent in requests), default=0) or 1
    limit = max((sent.ledger.usable for sent in requests), default=0)
    return int(max(most, limit if limit <= NEAR * most else 0) * ROOM_ABOVE) + 1


def ticks(top: float, least: int = 3) -> list[float]:
    """Round values for a scale up to ``top`` (above 0): 1, 2 or 5 times a power of ten, at least ``least`` of them."""
    power = 10.0 ** math.floor(math.log10(top / least))
    step = next(power * factor for factor in (5, 2, 1) if top / (power * factor) >= least)
    return [step * n for n in range(1, int(top / step) + 1)]


def context_chart(requests: Sequence[SentRequest], top: int) -> str:
    """The stacked areas, a line above the cached part, and the limit; ``top`` is the upper edge in tokens."""
    drawn, below = [], [0] * len(requests)
    for area in areas(requests):
        above = [base + tokens for base, tokens in zip(below, area.tokens, strict=True)]
        title = f"<title>{escape(visible(area.name))}</title>"
        drawn += [
            f'<path class="area k-{area.kind}" d="{_band(below, above, rows, top)}">{title}</path>'
            for rows in _stretches(area.tokens)
        ]
        below = above
    cached = [sent.ledger.cached for sent in requests]
    drawn.append(f'<path class="cached" d="{_line(cached, top)}"/>')
    drawn.append(f'<path class="limit" d="{_line([sent.ledger.usable for sent in requests], top)}"/>')
    return _svg("context", len(requests), drawn)


def money_chart(requests: Sequence[SentRequest], top: float) -> str:
    """The price of each request, and behind it the price without a cache; ``top`` in dollars."""
    drawn = []
    for at, sent in enumerate(requests):
        for kind, usd in (("plain", sent.plain_usd), ("paid", sent.ledger.usd)):
            if usd:
                height = _percent(usd, top)
                drawn.append(
                    f'<rect class="{kind}" x="{at + 0.1}" y="{100 - height:.2f}" width=".8" height="{height}"/>'
                )
    return _svg("money", len(requests), drawn)


def chart_columns(requests: int) -> int:
    """Columns of the charts of this many requests."""
    return max(requests, LEAST_COLUMNS)


def _svg(name: str, requests: int, drawn: Iterable[str]) -> str:
    """A chart with an invisible column for each request, as a target for the pointer."""
    hits = [f'<rect class="hit" data-n="{n}" x="{n}" y="0" width="1" height="100"/>' for n in range(requests)]
    head = f'<svg id="{name}" viewBox="0 0 {chart_columns(requests)} 100" preserveAspectRatio="none" role="img"'
    return "\n".join([f'{head} aria-label="{name} of {requests} requests">', *drawn, *hits, "</svg>"])


def _stretches(tokens: Sequence[int]) -> list[range]:
    """Runs of columns in which a section has tokens."""
    found: list[range] = []
    for at, size in enumerate(tokens):
        if size and found and found[-1].stop == at:
            found[-1] = range(found[-1].start, at + 1)
        elif size:
            found.append(range(at, at + 1))
    return found


def _band(below: Sequence[int], above: Sequence[int], at: range, top: float) -> str:
    """A closed outline over the columns ``at``, flat at the top and bottom of each."""
    roof = "".join(f"V{100 - _percent(above[n], top)}H{n + 1}" for n in at)
    floor = "".join(f"V{100 - _percent(below[n], top)}H{n}" for n in reversed(at))
    return f"M{at.start},{100 - _percent(below[at.start], top)}{roof}{floor}Z"


def _line(values: Sequence[int], top: float) -> str:
    """A line over all columns; empty if any value is above the upper edge."""
    parts = [f"{'M' if n == 0 else 'L'}{n},{100 - _percent(v, top)}H{n + 1}" for n, v in enumerate(values)]
    return "".join(parts) if max(values, default=0) <= top else ""


def _percent(value: float, top: float) -> float:
    return round(100 * value / top, 2) if top else 0.0
