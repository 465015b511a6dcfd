"""Makes project memories with a fixed clock and deterministic ids."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

from ctxe.knowledge.entries.store import Store
from ctxe.storage.counters import Counters

NOON = 1_795_262_400.0


def tokens() -> Iterator[str]:
    """A deterministic replacement for random ids: 0, 1, 2 and so on."""
    for number in itertools.count():
        yield f"{number:016x}"


def store_in(folder: Path, now: float = NOON) -> Store:
    """The memory of the project in this folder."""
    chance = tokens()
    return Store(folder / ".ctxe", folder / ".ctxe" / "cache", lambda: now, lambda _size: next(chance))


def counters_in(folder: Path) -> Counters:
    """The usage counters of that memory."""
    return Counters(folder / ".ctxe" / "cache" / "counters.db")
