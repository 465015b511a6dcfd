"""Undo: every change of a turn to the work tree can be reverted to the byte, and so can the undo.

Restore points are kept outside git: its index, refs and stash are not touched. Before an edit the file is copied;
before a command the whole tree is copied (see ``snapshot``).
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
"""(session, turn) for each session that this one was copied from: the last of its turns (from 1) that was copied."""

MOST_POINTS = 60
"""Points that are kept; older ones are pruned."""

SPARE_SECONDS = 3600.0
"""Seconds after which a copy that no point needs is deleted."""


@dataclass(frozen=True, slots=True)
class Change:
    """How a turn changed a file. ``covered`` is False when the old content was too large to keep."""

    path: str
    kind: Literal["created", "edited", "deleted", "mode"]
    covered: bool = True


def take(restore: Restore, session: str = "", turn: int = 0, title: str = "") -> Point:
    """Begin a restore point, which covers no file yet; nothing is written."""
    return Point("", session, turn, title, restore.now())


def cover(restore: Restore, point: Point, paths: Sequence[str]) -> Point:
    """Copy files before they are edited, with mode and time; files that are covered already are skipped.

    ``paths`` are real paths relative to the root, with ``/``. Raises StoreError; the edit must not run then.
    """
    uncovered = [path for path in paths if path not in point.before]
    if not uncovered:
        return point
    with restore.locked():
        limit = restore.bounds.file
        states = {path: snapshot.entry_of(restore.root, path, restore.blobs, limit, durable=True) for path in uncovered}
        new_folders = dict.fromkeys(
            [*point.made, *(folder for path in uncovered for folder in made_for(restore.root, path))]
        )
        covered = replace(point, before={**point.before, **states}, made=tuple(new_folders))
        return store.keep(restore.points, covered)


def cover_tree(restore: Restore, point: Point) -> Point:
    """Cover the whole tree before a command, once per point (10,000 files: 0.25 s when few changed). Raises StoreError.

    Temporary files that a killed process left behind are deleted.
    """
    if point.tree:
        return point
    with restore.locked():
        current = current_snapshot(restore)
        for path in [path for path, entry in current.entries.items() if SPARE in path and _stray(restore, path, entry)]:
            remove(restore.root, path)
        point = replace(point, id=point.id or store.next_id(restore.points))
        snapshot.save(restore.tree(point), current, durable=True)
        return store.keep(restore.points, replace(point, tree=True, head=(restore.git.head(), "")))


def finish(restore: Restore, point: Point, spans: Spans = ()) -> Point:
    """Record the state of the files at the end of the turn, and prune old points.

    ``spans`` are the times when tools ran (seconds since the epoch). A file that changed outside all of them is marked
    as foreign: somebody else changed it. Without spans no file is marked.
    """
    if point.after is not None or not point.id:
        return point
    with restore.locked():
        finished = store.keep(restore.points, with_outcome(restore, point, spans), durable=False)
        restore.forget_tree(point.id)
        prune(restore)
        return finished


def changes(restore: Restore, point: Point) -> tuple[Change, ...]:
    """The changes of a turn, so far if it is not finished, sorted by path."""
    if point.after is None and point.id:
        with restore.locked():
            point = with_outcome(restore, point)
    after = point.after or {}
    return tuple(_change(path, old, after.get(path)) for path, old in sorted(point.before.items()))


def changed_by_tools(restore: Restore, point: Point, spans: Spans) -> tuple[str, ...]:
    """Paths that the tools of an unfinished turn changed so far, by an edit or a command; ``spans`` as in ``finish``.

    Raises StoreError.
    """
    with restore.locked():
        so_far = with_outcome(restore, point, spans)
    return tuple(path for path in so_far.before if path not in so_far.foreign)


def before(restore: Restore, point: Point, path: str) -> bytes | None:
    """A file's content before the turn; None when there was no file. Raises StoreError when it was not kept."""
    old = point.before.get(path)
    if old is None:
        return None
    if old.key.startswith(LINK):
        return old.key.removeprefix(LINK).encode("utf-8", "surrogateescape")
    return restore.blobs.content(old.key)


def points(restore: Restore) -> list[Point]:
    """Every point, oldest first."""
    return store.listed(restore.points)


def points_of(restore: Restore, session: str, copied: Copied = ()) -> list[Point]:
    """The points of a session and of the turns that were copied into it, oldest first."""
    last_turns = {session: math.inf, **dict(copied)}
    return [point for point in points(restore) if point.turn <= last_turns.get(point.session, -1)]


def latest(restore: Restore, session: str, copied: Copied = ()) -> Point | None:
    """The newest turn of a session that can be undone."""
    own_points = reversed(points_of(restore, session, copied))
    return next((point for point in own_points if not point.undone and not point.of and _changed(point)), None)


def redoable(restore: Restore, session: str, copied: Copied = ()) -> Point | None:
    """The newest undo of a session that can be undone; None once a later turn has changed files."""
    own_points = points_of(restore, session, copied)
    undos = {point.id for point in own_points if point.of}
    for point in reversed(own_points):
        if not point.of and not point.undone and _changed(point):
            return None
        if point.of and not point.undone and point.of not in undos:
            return point
    return None


def _changed(point: Point) -> bool:
    return bool(point.before) or (point.tree and point.after is None)


def undo(restore: Restore, point: Point, *, force: bool = False) -> Undone:
    """Restore the tree as it was before a point (content, modes, times) and delete files created since.

    A file that changed after the turn is a conflict, left alone unless ``force``. Undoing the ``redo`` of the result
    reverts the undo.
    """
    point = finish(restore, point)
    with restore.locked():
        return take_back(restore, point, force=force)


def prune(restore: Restore, kept: int = MOST_POINTS) -> None:
    """Delete all but the newest ``kept`` points, and copies that no point needs; the caller holds the lock."""
    paths = sorted(restore.points.glob("*.json"))
    if len(paths) <= kept + kept // 4:
        return
    for path in paths[:-kept]:
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


def _change(path: str, old: FileState | None, new: FileState | None) -> Change:
    if old is None:
        return Change(path, "created")
    if new is None:
        return Change(path, "deleted", bool(old.key))
    return Change(path, "mode" if old.key and old.content == new.content else "edited", bool(old.key))
