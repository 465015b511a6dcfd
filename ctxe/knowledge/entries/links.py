"""Resolves ``supersedes`` links to the entry that holds today; nothing is retired without a link or a status."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from ctxe.knowledge.entries.entry import Entry

RETIRED = frozenset({"superseded", "proposed", "archived"})
"""Statuses of entries that do not hold today. ``stale`` and ``resolved`` entries do and are shown with that status."""


def successors(entries: Iterable[Entry]) -> dict[str, str]:
    """For each superseded id the id that finally replaces it; if several entries supersede it, the last of them counts.

    ``entries`` are in causal order. Proposals and entries that name themselves supersede nothing. In a cycle of links
    the newest entry holds.
    """
    order: dict[str, int] = {}
    direct: dict[str, str] = {}
    for place, entry in enumerate(entries):
        if entry.status == "proposed":
            continue
        order[entry.id] = place
        for old in entry.supersedes:
            if old != entry.id:
                direct[old] = entry.id
    return {old: final for old in direct if (final := _final(old, direct, order)) != old}


def _final(old: str, direct: Mapping[str, str], order: Mapping[str, int]) -> str:
    """Follow the links from ``old`` to their end; in a cycle the newest entry of the cycle counts."""
    path = [old]
    at = old
    while at in direct:
        at = direct[at]
        if at in path:
            circle = path[path.index(at) :]
            return max(circle, key=lambda name: order.get(name, -1))
        path.append(at)
    return at


def holding(entries: Iterable[Entry]) -> Callable[[Entry], bool]:
    """A function that says of each of these entries (in causal order) whether it holds today."""
    replaced = successors(entries)
    return lambda entry: is_current(entry, replaced)


def is_current(entry: Entry, replaced: Mapping[str, str]) -> bool:
    """Whether the entry holds today: neither proposed, nor retired by its status, nor superseded by a link."""
    return entry.status not in RETIRED and entry.id not in replaced
