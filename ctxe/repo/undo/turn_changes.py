"""The files that differ from their state before a turn, and whether it was the turn that changed them."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath

from ctxe.domain.value import replace
from ctxe.repo.undo import snapshot
from ctxe.repo.undo.points import Point, Restore, States
from ctxe.repo.undo.snapshot import FileState, Snapshot

CLOCK = 50_000_000
"""Nanoseconds by which a file's times may lag behind the clock (kernel ticks)."""

Spans = Sequence[tuple[float, float]]


def with_outcome(restore: Restore, point: Point, spans: Spans = ()) -> Point:
    """The point with ``after`` filled in and only the files that differ. Writes nothing but copies of files.

    With ``spans`` (seconds since the epoch), a file that changed outside all of them becomes ``foreign``. Raises
    StoreError.
    """
    old: dict[str, FileState | None] = dict(point.before)
    new_folders = list(point.made)
    tree = snapshot.load(restore.tree(point)) if point.tree else None
    if tree is None:
        limit = restore.bounds.file
        new = {path: snapshot.entry_of(restore.root, path, restore.blobs, limit) for path in old}
    else:
        current = current_snapshot(restore)
        new = dict(_differing(restore, tree, current, old))
        old = {path: tree.get(path) for path in new} | old
        new_folders += _new_folders(tree, [path for path in new if old[path] is None and path not in point.before])
    changed = sorted(path for path in old if not same_state(old[path], new.get(path)))
    return replace(
        point,
        before={path: old[path] for path in changed},
        after={path: new.get(path) for path in changed},
        made=tuple(dict.fromkeys(new_folders)),
        foreign=tuple(path for path in changed if spans and not _within(new.get(path), spans)),
        head=(point.head[0], restore.git.head() if tree else ""),
    )


def current_snapshot(restore: Restore) -> Snapshot:
    """Take a snapshot of the tree as it is now; the stored one makes this fast and is replaced by it."""
    last = snapshot.load(restore.last)
    current = snapshot.take(restore.root, restore.git, restore.blobs, last, restore.bounds)
    if current is not last:
        snapshot.save(restore.last, current)
    return current


def same_state(state: FileState | None, other_state: FileState | None) -> bool:
    """Whether two states of a file have the same content and mode; None stands for no file."""
    return state == other_state or (state is not None and other_state is not None and state.same == other_state.same)


def made_for(root: Path, path: str) -> Iterator[str]:
    """The missing folders of a path, deepest first: writing the file will create them."""
    for folder in PurePosixPath(path).parents:
        if str(folder) != "." and not os.path.lexists(root / folder):
            yield str(folder)


def _differing(
    restore: Restore, tree: Snapshot, current: Snapshot, covered: States
) -> Iterator[tuple[str, FileState | None]]:
    """Paths whose state differs from that in ``tree``, and all ``covered`` paths, each with its present state."""
    changed_entries = {path for path, _ in tree.entries.items() ^ current.entries.items()}
    changed_entries |= {path for path, _ in tree.ignored.items() - current.ignored.items()}
    states = dict[str, tuple[FileState | None, FileState | None]]()
    for path in sorted(changed_entries | covered.keys()):
        # A file may be missing from the list only because it is ignored by now, so look at the file itself.
        new = current.get(path) or snapshot.entry_of(restore.root, path, restore.blobs, restore.bounds.file)
        states[path] = tree.get(path), new
    freed_inodes = {
        old.inode for old, new in states.values() if old is not None and (new is None or new.inode != old.inode)
    }
    for path, (old, new) in states.items():
        if path in covered or (not same_state(old, new) and (old is not None or _fresh(new, tree, freed_inodes))):
            yield path, new


def _fresh(entry: FileState | None, tree: Snapshot, freed_inodes: Collection[int]) -> bool:
    """Whether a file that the snapshot does not list was created since, rather than ignored when it was taken.

    Such a file changed after the snapshot. One in a moved folder did not, but it has one of the ``freed_inodes``.
    """
    return entry is not None and (entry.ctime >= tree.taken - CLOCK or entry.inode in freed_inodes)


def _new_folders(tree: Snapshot, created: Sequence[str]) -> list[str]:
    """The folders of ``created`` files in which the snapshot knows no file, deepest first."""
    if not created:
        return []
    new = _folders(created) - _folders([*tree.entries, *tree.ignored])
    return sorted(new, key=lambda folder: (-folder.count("/"), folder))


def _folders(paths: Iterable[str]) -> set[str]:
    """Every folder above the paths."""
    folders = {path.rpartition("/")[0] for path in paths} - {""}
    return folders | {str(parent) for inner in folders for parent in PurePosixPath(inner).parents} - {"."}


def _within(entry: FileState | None, spans: Spans) -> bool:
    """Whether a file's last change is in one of the spans; True for a deleted file, whose time is unknown."""
    if entry is None:
        return True
    return any(first * 1e9 - CLOCK <= entry.ctime <= last * 1e9 + CLOCK for first, last in spans)
