"""Does what an entry rests on still stand? Judged from facts that are handed in; nothing is ever retired by it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ctxe.knowledge.entry import Entry


def _always(_name: str) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Facts:
    """What is so in the repository now, asked by path (relative to the root), commit id and symbol name."""

    file: Callable[[str], bool] = _always
    commit: Callable[[str], bool] = _always
    symbol: Callable[[str], bool] = _always


def gone(entry: Entry, facts: Facts) -> tuple[str, ...]:
    """What the entry cites and is no more, in words: ``("file a.py is gone",)``; empty when all stands."""
    missing = [f"file {path} is gone" for path in entry.files if _plain(path) and not facts.file(path)]
    for item in entry.evidence:
        kind, _, name = item.partition(" ")
        name = name.strip()
        if kind == "commit" and name and not facts.commit(name):
            missing.append(f"commit {name} is gone")
        elif kind in ("file", "test") and name:
            path = name.partition("::")[0].partition(":")[0]
            if _plain(path) and not facts.file(path):
                missing.append(f"{kind} {path} is gone")
        elif kind == "symbol" and name and not facts.symbol(name):
            missing.append(f"symbol {name} is gone")
    return tuple(dict.fromkeys(missing))


def stale(entries: Iterable[Entry], facts: Facts) -> dict[str, tuple[str, ...]]:
    """By id, what is gone of entries that hold today; a failure is stale only when all its files are gone."""
    found: dict[str, tuple[str, ...]] = {}
    for entry in entries:
        if entry.status not in ("current", "open", "stale") or entry.ts:
            continue
        missing = gone(entry, facts)
        if entry.kind == "failure" and any(_plain(path) and facts.file(path) for path in entry.files):
            continue
        if missing:
            found[entry.id] = missing
    return found


def _plain(path: str) -> bool:
    """A path that can be looked up: no pattern, no place above the root."""
    return bool(path) and not any(sign in path for sign in "*?[{") and not path.startswith(("/", "~", ".."))
