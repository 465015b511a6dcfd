"""Undoing a turn file by file: later changes are not overwritten, and the undo itself can be undone."""

from __future__ import annotations

import contextlib
import stat

from ctxe.domain.errors import StoreError
from ctxe.domain.value import dataclass, replace
from ctxe.repo.files import LISTING
from ctxe.repo.undo import points as store
from ctxe.repo.undo import snapshot
from ctxe.repo.undo.blobs import LINK
from ctxe.repo.undo.nested_repositories import untouched_changes
from ctxe.repo.undo.points import Point, Restore, States
from ctxe.repo.undo.rewrite import link, look, remove, remove_folder, rewrite, stamp
from ctxe.repo.undo.snapshot import FileState
from ctxe.repo.undo.turn_changes import made_for, same_state


@dataclass(frozen=True, slots=True)
class Undone:
    """The outcome of an undo. Undoing ``redo`` reverts it (None when nothing was done).

    ``conflicts`` are files left alone because something else changed them during or after the turn; ``failed`` pairs
    each other file that could not be restored with the reason; ``notes`` name changes that undo does not cover.
    """

    restored: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()
    failed: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
    redo: Point | None = None


def take_back(restore: Restore, point: Point, *, force: bool) -> Undone:
    """Undo a finished point; the caller holds the store's lock. Raises StoreError, and then nothing was changed yet."""
    after = point.after or {}
    current = {path: snapshot.entry_of(restore.root, path, restore.blobs, restore.bounds.file) for path in point.before}
    differing = [path for path in point.before if not same_state(current[path], point.before[path])]
    conflicts = [
        path
        for path in differing
        if not force and (path in point.foreign or not same_state(current[path], after.get(path)))
    ]
    wanted = {path: point.before[path] for path in differing if path not in conflicts}
    failed = {path: why for path, old in wanted.items() if (why := _why_not(old, current[path], force=force))}
    wanted = {path: old for path, old in wanted.items() if path not in failed}
    if not wanted:
        # Already undone by hand, or impossible to undo: the next undo should be for the turn before.
        if not conflicts and all(point.before[path] is not None for path in failed):
            _mark_undone(restore, point)
        return Undone((), tuple(conflicts), tuple(failed.items()), _notes(restore, point))
    redo = _redo(restore, point, wanted, current)
    stays = _kept_by_ignore(restore, wanted, current)
    failed |= stays | _apply(restore, {path: old for path, old in wanted.items() if path not in stays}, current)
    for folder in sorted(point.made, key=lambda folder: (-folder.count("/"), folder)):
        remove_folder(restore.root, folder)
    _mark_undone(restore, point)
    restored = tuple(path for path in wanted if path not in failed)
    return Undone(restored, tuple(conflicts), tuple(failed.items()), _notes(restore, point), redo)


def _why_not(old: FileState | None, current: FileState | None, *, force: bool) -> str:
    """Why a file cannot be restored, or a new one should not be deleted; empty when it can."""
    if old is not None and not old.key:
        return f"its old content ({old.size:,} bytes) was too large to keep"
    if old is None and current is not None and not current.key and not force:
        return (
            f"it is new, but its {current.size:,} bytes are too large to bring back later, so it stays"
            " (--force removes it)"
        )
    return ""


def _kept_by_ignore(restore: Restore, wanted: States, current: States) -> dict[str, str]:
    """New files to keep, each with the reason: the old ignore files ignore them, so they may be older than the turn.

    Only when a .gitignore is among the changes, which is then restored first.
    """
    rules = [path for path in wanted if path.rpartition("/")[2] == ".gitignore"]
    created = [path for path, old in wanted.items() if old is None and path not in rules]
    if not rules or not created:
        return {}
    _apply(restore, {path: wanted[path] for path in rules}, current)
    output = restore.git.output(*LISTING)
    if output is None:
        return {}
    listed = {name for name in output.split(b"\0") if name}
    hidden = (path for path in created if path.encode("utf-8", "surrogateescape") not in listed)
    return dict.fromkeys(hidden, "it is ignored by the restored .gitignore, so it stays")


def _redo(restore: Restore, point: Point, wanted: States, current: States) -> Point:
    """Store the point that undoes the undo, before anything changes."""
    new_folders = dict.fromkeys(folder for path in wanted for folder in made_for(restore.root, path))
    return store.keep(
        restore.points,
        Point(
            "",
            point.session,
            point.turn,
            f"undo of {point.title or point.id}",
            restore.now(),
            before={path: current[path] for path in wanted},
            after=dict(wanted),
            made=tuple(new_folders),
            of=point.id,
        ),
    )


def _mark_undone(restore: Restore, point: Point) -> None:
    """Mark the point as undone; if it was an undo itself, the point that it undid counts again."""
    store.keep(restore.points, replace(point, undone=True), durable=False)
    if point.of:
        # When that point was pruned in the meantime, nothing is left to mark.
        with contextlib.suppress(StoreError):
            store.keep(restore.points, replace(store.fetch(restore.points, point.of), undone=False), durable=False)


def _apply(restore: Restore, wanted: States, current: States) -> dict[str, str]:
    """Delete new files, then restore the others. Returns the reason for each file that failed."""
    failed: dict[str, str] = {}
    to_delete = sorted((path for path, old in wanted.items() if old is None), key=lambda path: (-path.count("/"), path))
    to_restore = [path for path, old in wanted.items() if old is not None]
    for path in [*to_delete, *to_restore]:
        try:
            old = wanted[path]
            if old is None:
                remove(restore.root, path)
            else:
                _restore(restore, path, old, current.get(path))
        except StoreError as error:
            failed[path] = error.message
    return failed


def _restore(restore: Restore, path: str, old: FileState, current: FileState | None) -> None:
    status = look(restore.root, path)
    if status is not None and stat.S_ISDIR(status.st_mode):
        remove_folder(restore.root, path)
    if old.key.startswith(LINK):
        link(restore.root, path, old.key.removeprefix(LINK))
        return
    if current is None or current.content != old.content or not stat.S_ISREG(current.mode):
        data = restore.blobs.content(old.key)
        if status is not None and stat.S_ISLNK(status.st_mode):
            remove(restore.root, path)
        rewrite(restore.root, path, data, force=True)
    stamp(restore.root, path, old.mode, old.mtime)


def _notes(restore: Restore, point: Point) -> tuple[str, ...]:
    """Changes of the turn that undo does not cover, a line each."""
    old_head, new_head = point.head
    notes = list(untouched_changes(restore.git, point.taken, point.before)) if point.tree else []
    if old_head and new_head and old_head != new_head:
        place = "still there" if restore.git.head() == new_head else "no longer HEAD"
        notes.append(
            f"HEAD moved from {old_head[:12]} to {new_head[:12]} during the turn; commits are not undone ({place})"
        )
    return tuple(notes)
