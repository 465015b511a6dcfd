"""Detects changes to the memory folder that were made outside ctxe since the last look."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from typing import Literal

from ctxe.domain.errors import StoreError
from ctxe.domain.value import dataclass
from ctxe.knowledge.entries.snapshot import FolderSnapshot, content_of
from ctxe.knowledge.entries.store import Store

MOST_NAMED = 5
"""Changed files that one notice names."""
SEEN_SECONDS = 5.0
"""How long a new session waits for the lock of one that writes."""

NO_RECORD = "what changed in memory since the last session is not known: its record is gone from the cache"


@dataclass(frozen=True, slots=True)
class OutsideChange:
    """A file of the memory folder that was changed outside ctxe."""

    path: str
    change: Literal["added", "changed", "removed"]


def outside_changes(store: Store, snapshot: FolderSnapshot | None = None) -> tuple[OutsideChange, ...]:
    """The files changed outside ctxe, sorted by path. ``snapshot`` is the folder's current state; None reads it."""
    return _differences(store.disk.journal.known(), _digests(store, snapshot))


def note_changes(store: Store, *, again: bool = False) -> str:
    """Record the current state as known and return a one-line notice of outside changes, empty if none. Raises
    StoreError.

    ``again``: earlier sessions exist, so a missing record was lost and the notice says so. The lock waits for another
    session's write, so that it does not count as an outside change. After SEEN_SECONDS, or if locking fails, this goes
    on without the lock.
    """
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(StoreError):
            stack.enter_context(store.disk.locked(SEEN_SECONDS))
        digests, known = _digests(store), store.disk.journal.known()
        changes = _differences(known, digests)
        store.disk.journal.know(digests)
    if known is None and again and digests:
        return NO_RECORD
    return f"memory changed outside ctxe since the last session: {_summary_of(changes)}" if changes else ""


def _digests(store: Store, snapshot: FolderSnapshot | None = None) -> dict[str, str]:
    digests = dict((snapshot or store.snapshot()).digests)
    for name in ("MEMORY.md", "../MEMORY.md"):
        content = content_of(store.folder / name)
        if content:
            digests[name] = content
    return digests


def _differences(known: Mapping[str, str | None] | None, digests: Mapping[str, str]) -> tuple[OutsideChange, ...]:
    """Files that differ from ``known``; none on the first look, when ``known`` is None."""
    if known is None:
        return ()
    found = [OutsideChange(path, "removed") for path in known if path not in digests]
    for path, content in digests.items():
        if path not in known:
            found.append(OutsideChange(path, "added"))
        elif known[path] != content:
            found.append(OutsideChange(path, "changed"))
    return tuple(sorted(found, key=lambda change: change.path))


def _summary_of(changes: Sequence[OutsideChange]) -> str:
    named = ", ".join(f"{change.path} ({change.change})" for change in changes[:MOST_NAMED])
    return named + (f" and {len(changes) - MOST_NAMED} more" if len(changes) > MOST_NAMED else "")
