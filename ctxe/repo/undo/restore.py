"""Undo: what a turn changes in the work tree can be taken back to the byte, and so can the taking back.

A restore point lives outside git's history: neither its index, refs and stash nor the staged and unstaged split are
touched. Before an edit the file itself is kept; before a command the whole tree is (``snapshot``).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Literal

from ctxe.domain.value import dataclass, replace
from ctxe.repo.undo import points as store
from ctxe.repo.undo import snapshot
from ctxe.repo.undo.blobs import LINK
from ctxe.repo.undo.points import Point, Restore
from ctxe.repo.undo.rewrite import SPARE, is_stray, remove
from ctxe.repo.undo.snapshot import FileState
from ctxe.repo.undo.takeback import Undone, take_back
from ctxe.repo.undo.turn_changes import Spans, current_snapshot, made_for, with_outcome

__all__ = [
    "Change",
    "Point",
    "Restore",
    "Undone",
    "before",
    "changed_by_tools",
    "changes",
    "cover",
    "cover_tree",
    "finish",
    "latest",
    "points",
    "points_of",
    "prune",
    "redoable",
    "take",
    "undo",
]

Copied = Sequence[tuple[str, int]]
"""For each session that one was copied from, the last turn (from 1) that came along."""

KEPT = 60
"""Points kept; older ones are pruned, and copies that no point needs after an hour."""

SPARE_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class Change:
    """What a turn did to a file. ``covered`` is False when the old content was too large to keep."""

    path: str
    kind: Literal["created", "edited", "deleted", "mode"]
    covered: bool = True


def take(restore: Restore, session: str = "", turn: int = 0, title: str = "") -> Point:
    """Begin a restore point; it covers nothing yet and costs nothing."""
    return Point("", session, turn, title, restore.now())


def cover(restore: Restore, point: Point, paths: Sequence[str]) -> Point:
    """Keep files before they are edited: exact bytes, mode and time; those covered already are passed over.

    ``paths`` are real paths relative to the root, with ``/``. Raises StoreError, and then the edit should not run.
    """
    new = [path for path in paths if path not in point.before]
    if not new:
        return point
    with restore.locked():
        limit = restore.bounds.file
        states = {path: snapshot.entry_of(restore.root, path, restore.blobs, limit, durable=True) for path in new}
        made = dict.fromkeys([*point.made, *(folder for path in new for folder in made_for(restore.root, path))])
        covered = replace(point, before={**point.before, **states}, made=tuple(made))
        return store.keep(restore.points, covered)


def cover_tree(restore: Restore, point: Point) -> Point:
    """Keep the whole tree before a command, once a point (10,000 files: 0.25 s when few changed). Raises StoreError.

    What a killed process left of a rewrite is cleared away.
    """
    if point.tree:
        return point
    with restore.locked():
        now = current_snapshot(restore)
        for path in [path for path, entry in now.entries.items() if SPARE in path and _stray(restore, path, entry)]:
            remove(restore.root, path)
        point = replace(point, id=point.id or store.next_id(restore.points))
        snapshot.save(restore.tree(point), now, durable=True)
        return store.keep(restore.points, replace(point, tree=True, head=(restore.git.head(), "")))


def finish(restore: Restore, point: Point, spans: Spans = ()) -> Point:
    """Learn what the turn left, at its end, and prune old points.

    ``spans`` are when its tools ran (seconds since the epoch). With them, a file that changed outside all of them
    is marked as foreign: somebody else works here too.
    """
    if point.after is not None or not point.id:
        return point
    with restore.locked():
        done = store.keep(restore.points, with_outcome(restore, point, spans), durable=False)
        restore.forget_tree(point.id)
        prune(restore)
        return done


def changes(restore: Restore, point: Point) -> tuple[Change, ...]:
    """What a turn changed so far, or in all once it is finished, sorted by path."""
    if point.after is None and point.id:
        with restore.locked():
            point = with_outcome(restore, point)
    after = point.after or {}
    return tuple(_change(path, was, after.get(path)) for path, was in sorted(point.before.items()))


def changed_by_tools(restore: Restore, point: Point, spans: Spans) -> tuple[str, ...]:
    """Paths that the tools of an unfinished turn changed so far, by an edit or a command; ``spans`` as in ``finish``.

    Raises StoreError.
    """
    with restore.locked():
        so_far = with_outcome(restore, point, spans)
    return tuple(path for path in so_far.before if path not in so_far.foreign)


def before(restore: Restore, point: Point, path: str) -> bytes | None:
    """A file's content before the turn; None when there was none. Raises StoreError when it was not kept."""
    was = point.before.get(path)
    if was is None:
        return None
    if was.key.startswith(LINK):
        return was.key.removeprefix(LINK).encode("utf-8", "surrogateescape")
    return restore.blobs.content(was.key)


def points(restore: Restore) -> list[Point]:
    """Every point, oldest first."""
    return store.listed(restore.points)


def points_of(restore: Restore, session: str, copied: Copied = ()) -> list[Point]:
    """The points of a session and those of the turns that it was copied with, oldest first."""
    most = {session: math.inf, **dict(copied)}
    return [point for point in points(restore) if point.turn <= most.get(point.session, -1)]


def latest(restore: Restore, session: str, copied: Copied = ()) -> Point | None:
    """The newest turn of a session that can be undone."""
    own = (p for p in reversed(points_of(restore, session, copied)) if not p.undone and not p.of)
    return next((point for point in own if _changed(point)), None)


def redoable(restore: Restore, session: str, copied: Copied = ()) -> Point | None:
    """The newest undo of a session that can be taken back; none once a later turn has changed files."""
    own = points_of(restore, session, copied)
    undos = {point.id for point in own if point.of}
    for point in reversed(own):
        if not point.of and not point.undone and _changed(point):
            return None
        if point.of and not point.undone and point.of not in undos:
            return point
    return None


def _changed(point: Point) -> bool:
    return bool(point.before) or (point.tree and point.after is None)


def undo(restore: Restore, point: Point, *, force: bool = False) -> Undone:
    """Bring back the tree as it was before a point: bytes, modes, times; files made since are deleted.

    A file that changed after the turn is a conflict and left alone unless ``force``. Undoing ``redo`` undoes the undo.
    """
    point = finish(restore, point)
    with restore.locked():
        return take_back(restore, point, force=force)


def prune(restore: Restore, kept: int = KEPT) -> None:
    """Forget points beyond the newest ``kept`` and the copies that only they needed; the caller holds the lock."""
    found = sorted(restore.points.glob("*.json"))
    if len(found) <= kept + kept // 4:
        return
    for path in found[:-kept]:
        path.unlink(missing_ok=True)
        restore.forget_tree(path.stem)
    restore.blobs.sweep(_keys_in_use(restore), restore.now() - SPARE_SECONDS)


def _keys_in_use(restore: Restore) -> Iterator[str]:
    for point in points(restore):
        for states in (point.before, point.after or {}):
            yield from (entry.key for entry in states.values() if entry is not None)
    for path in [restore.last, *(restore.folder / "trees").glob("*")]:
        if tree := snapshot.load(path):
            yield from (entry.key for table in (tree.entries, tree.ignored) for entry in table.values())


def _stray(restore: Restore, path: str, entry: FileState) -> bool:
    return is_stray(path.rpartition("/")[2], entry.mtime, restore.now())


def _change(path: str, was: FileState | None, then: FileState | None) -> Change:
    if was is None:
        return Change(path, "created")
    if then is None:
        return Change(path, "deleted", bool(was.key))
    return Change(path, "mode" if was.key and was.content == then.content else "edited", bool(was.key))
