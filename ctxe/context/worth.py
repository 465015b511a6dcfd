"""What a name or a line of the past is worth keeping: how likely a later action will have to spell it.

Judged from the session alone: who used a name, how often and how lately. The weights are few on purpose; they were set
on 18 recorded sessions and are meant for all others (docs/decisions/0011).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ctxe.context.lines import Entry, Line


@dataclass(frozen=True, slots=True)
class Weights:
    """How much each sign counts. ``half`` is the number of steps after which a name is worth half."""

    half: float = 24.0
    path: float = 1.5
    seen: float = 0.5
    used: float = 1.5
    words: float = 1.0
    edit: float = 0.25
    edited: float = 1.0
    defines: float = 0.2
    failed: float = 0.3


@dataclass(slots=True)
class _Mentions:
    """Where a name stood: in how many entries, when last, and how often the model itself wrote it."""

    first: int
    last: int
    entries: int = 0
    used: int = 0
    words: int = 0


Worth = Mapping[str, float]


def worth_of_names(entries: Sequence[Entry], words: Sequence[str], now: int, weights: Weights) -> dict[str, float]:
    """The weight of every name in the entries, at step ``now``."""
    mentions: dict[str, _Mentions] = {}
    for entry in entries:
        for line in entry.lines:
            for name in line.names:
                seen = mentions.get(name)
                if seen is None:
                    seen = mentions[name] = _Mentions(entry.step, entry.step)
                if seen.last != entry.step or not seen.entries:
                    seen.entries += 1
                seen.last = entry.step
                seen.used += line.origin in ("asked", "written", "replaced")
    said = set(words)
    return {name: _weight(name, m, now, name in said, weights) for name, m in mentions.items()}


def _weight(name: str, m: _Mentions, now: int, in_words: bool, w: Weights) -> float:
    age = _faded(now - m.last, w)
    base = w.path if "/" in name else 1.0
    return base * age * (1 + w.seen * math.log1p(m.entries) + w.used * math.log1p(m.used) + w.words * in_words)


def worth_of_line(entry: Entry, line: Line, edited: Mapping[str, int], now: int, w: Weights) -> float:
    """What a line is worth beside its names: that it will be edited or is an error, a definition."""
    worth = 0.0
    if len(line.text.strip()) >= 10 and entry.path and line.origin != "replaced":
        worth += w.edit * (1 + w.edited * _faded(now - edited[entry.path], w) if entry.path in edited else 1.0)
    if line.defines:
        worth += w.defines
    if not entry.ok:
        worth += w.failed
    return worth * _faded(now - entry.step, w)


def _faded(steps: int, w: Weights) -> float:
    """What is left of a worth of 1 after so many steps."""
    return math.pow(0.5, steps / w.half)
