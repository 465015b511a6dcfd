"""What something other than ctxe changed in the memory folder since it was last looked at."""

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
"""How long a session that begins waits for one that writes."""

NO_RECORD = "what changed in memory since the last session is not known: its record is gone from the cache"


@dataclass(frozen=True, slots=True)
class Outside:
    """A file of the memory folder that something other than ctxe changed."""

    path: str
    change: Literal["added", "changed", "removed"]


def outside(store: Store, snapshot: FolderSnapshot | None = None) -> tuple[Outside, ...]:
    """The files, by path; ``snapshot`` is of the folder as it is just now."""
    return _differences(store.disk.journal.known(), _digests(store, snapshot))


def seen(store: Store, *, again: bool = False) -> str:
    """Tell them in one line (empty for none) and take the present state as known. Raises StoreError.

    ``again``: there were sessions here before, so that a record which is not there is one that was lost.
    Another session may be writing, and what it wrote is known as soon as it is done. Where it goes on and on, or
    nothing can be locked, nobody waits for that.
    """
    with contextlib.ExitStack() as held:
        with contextlib.suppress(StoreError):
            held.enter_context(store.disk.locked(SEEN_SECONDS))
        digests, known = _digests(store), store.disk.journal.known()
        changes = _differences(known, digests)
        store.disk.journal.know(digests)
    if known is None and again and digests:
        return NO_RECORD
    return f"memory changed outside ctxe since the last session: {_named(changes)}" if changes else ""


def _digests(store: Store, snapshot: FolderSnapshot | None = None) -> dict[str, str]:
    digests = dict((snapshot or store.snapshot()).digests)
    for name in ("MEMORY.md", "../MEMORY.md"):
        content = content_of(store.folder / name)
        if content:
            digests[name] = content
    return digests


def _differences(known: Mapping[str, str | None] | None, digests: Mapping[str, str]) -> tuple[Outside, ...]:
    """What differs from what was known; nothing on the first look."""
    if known is None:
        return ()
    found = [Outside(path, "removed") for path in known if path not in digests]
    for path, content in digests.items():
        if path not in known:
            found.append(Outside(path, "added"))
        elif known[path] != content:
            found.append(Outside(path, "changed"))
    return tuple(sorted(found, key=lambda change: change.path))


def _named(changes: Sequence[Outside]) -> str:
    named = ", ".join(f"{change.path} ({change.change})" for change in changes[:MOST_NAMED])
    return named + (f" and {len(changes) - MOST_NAMED} more" if len(changes) > MOST_NAMED else "")
