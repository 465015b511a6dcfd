"""The running record: what stands for folded steps, chosen line by line from the originals.

Every entry that is in says what was done and on what; below it stand the lines worth most per token. Nothing is
reworded, so what a later action has to spell exactly is there exactly.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ctxe.context.lines import Entry, Line
from ctxe.context.tokens import Count
from ctxe.context.worth import Weights, worth_of_line, worth_of_names

HEADER = 6.0
"""Tokens of an entry's own line, about."""


@dataclass(slots=True)
class _Group:
    """Entries about the same thing: they share one heading."""

    entries: list[Entry]
    chosen: set[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class _Candidate:
    group: int
    place: tuple[int, int]
    line: Line
    own: float
    cost: float


def record(entries: Sequence[Entry], covered: Iterable[str], room: int, count: Count, weights: Weights) -> str:
    """The text, of at most ``room`` tokens, that stands for ``entries`` (oldest first); empty when nothing fits.

    ``covered`` are names that stand elsewhere in the request and are worth nothing here.
    """
    if not entries:
        return ""
    now = entries[-1].step
    groups = _grouped(entries)
    worth = worth_of_names(
        entries, [n for e in entries if e.what == "user" for li in e.lines for n in li.names], now, weights
    )
    worth |= dict.fromkeys(covered, 0.0)
    order = _in_order_of_worth(groups, worth, now, weights)
    return _most_that_fits(groups, order, entries, room, count)


def _grouped(entries: Sequence[Entry]) -> list[_Group]:
    groups: dict[str, _Group] = {}
    for entry in entries:
        key = entry.path or "\n".join(entry.title) or f"{entry.what} {entry.step}"
        groups.setdefault(key, _Group([], set())).entries.append(entry)
    return sorted(groups.values(), key=lambda group: group.entries[-1].step)


def _candidates(groups: Sequence[_Group], now: int, weights: Weights) -> list[_Candidate]:
    edited = {
        e.path: e.step for g in groups for e in g.entries if e.path and any(li.origin == "written" for li in e.lines)
    }
    newest: dict[str, _Candidate] = {}
    for g, group in enumerate(groups):
        for e, entry in enumerate(group.entries):
            for n, line in enumerate(entry.lines):
                own = worth_of_line(entry, line, edited, now, weights)
                if own or line.names:
                    newest[line.text.strip()] = _Candidate(g, (e, n), line, own, 1 + len(line.text) / 3.6)
    return list(newest.values())


def _in_order_of_worth(
    groups: Sequence[_Group], worth: dict[str, float], now: int, weights: Weights
) -> list[_Candidate]:
    """Candidates by what each still adds per token, best first (lazy greedy: what is covered adds nothing)."""
    candidates = _candidates(groups, now, weights)
    left = dict(worth)
    heap = [(-_gain(c, left) / c.cost, i) for i, c in enumerate(candidates)]
    heapq.heapify(heap)
    order: list[_Candidate] = []
    while heap:
        old, i = heapq.heappop(heap)
        gain = _gain(candidates[i], left) / candidates[i].cost
        if gain <= 0:
            continue
        if heap and gain < -heap[0][0] and gain < -old:
            heapq.heappush(heap, (-gain, i))
            continue
        order.append(candidates[i])
        left.update(dict.fromkeys(candidates[i].line.names, 0.0))
    return order


def _gain(candidate: _Candidate, left: dict[str, float]) -> float:
    return candidate.own + sum(left.get(name, 0.0) for name in candidate.line.names)


def _most_that_fits(
    groups: list[_Group], order: list[_Candidate], entries: Sequence[Entry], room: int, count: Count
) -> str:
    """The longest prefix of ``order`` whose rendering fits."""
    low, high, best = 0, len(order), ""
    while low <= high:
        middle = (low + high) // 2
        text = _rendered(groups, order[:middle], entries)
        if count(text) <= room:
            best, low = text, middle + 1
        else:
            high = middle - 1
    return best


def _rendered(groups: list[_Group], chosen: Sequence[_Candidate], entries: Sequence[Entry]) -> str:
    places: dict[int, set[tuple[int, int]]] = {}
    for candidate in chosen:
        places.setdefault(candidate.group, set()).add(candidate.place)
    first, last = entries[0].step, entries[-1].step
    parts = [
        f"[Steps {first}-{last} are folded: lines of them, word for word. `recall s{first}` shows step {first} whole.]"
    ]
    for g, group in enumerate(groups):
        parts += _shown(group, sorted(places.get(g, ())))
    return "\n".join(parts)


def _shown(group: _Group, places: Sequence[tuple[int, int]]) -> list[str]:
    first = group.entries[0]
    if first.what == "said" and not places:
        return []
    did = " ".join(f"s{e.step} {e.what}{'' if e.ok else ' (failed)'}" for e in group.entries)
    return [f"[{did}]", *first.title[:3], *(group.entries[e].lines[n].text for e, n in places)]
