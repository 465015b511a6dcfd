"""Restore points on disk: the files before and after each turn, one JSON file per point, numbered in order of time."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ctxe.domain.errors import StoreError
from ctxe.domain.value import dataclass, field, fields, replace
from ctxe.repo.git import Git
from ctxe.repo.undo.blobs import Blobs
from ctxe.repo.undo.snapshot import FileState, SnapshotBounds
from ctxe.storage import files as storage
from ctxe.storage.locks import lock

VERSION = 1
States = Mapping[str, FileState | None]


@dataclass(frozen=True, slots=True)
class Point:
    """The files that a turn changed, ``before`` it and, once finished, ``after`` it; None stands for no file.

    ``id`` is empty until something is covered; from then on the point is on disk. ``tree``: the whole tree is covered,
    not only single files. ``made`` are folders that did not exist before. ``foreign`` are files that something else
    changed during the turn. ``head`` is git's HEAD before and after. ``of`` is the id of the point that this one, an
    undo, has undone. ``taken`` is in seconds since the epoch.
    """

    id: str = ""
    session: str = ""
    turn: int = 0
    title: str = ""
    taken: float = 0.0
    before: States = field(default_factory=dict)
    after: States | None = None
    tree: bool = False
    made: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()
    head: tuple[str, str] = ("", "")
    of: str = ""
    undone: bool = False


@dataclass(frozen=True, slots=True)
class Restore:
    """The store of points in ``folder`` for the tree of ``git``; ``now`` gives the time in seconds since the epoch."""

    git: Git
    folder: Path
    now: Callable[[], float]
    bounds: SnapshotBounds = field(default_factory=SnapshotBounds)

    @property
    def root(self) -> Path:
        """The work tree."""
        return self.git.root

    @property
    def blobs(self) -> Blobs:
        """The copies of files."""
        return Blobs(self.folder / "blobs", self.git)

    @property
    def points(self) -> Path:
        """The folder of the points' JSON files."""
        return self.folder / "points"

    @property
    def last(self) -> Path:
        """The file of the newest snapshot, which makes the next one fast."""
        return self.folder / "tree"

    def tree(self, point: Point) -> Path:
        """The file of the snapshot taken at the beginning of an unfinished point."""
        return self.folder / "trees" / point.id

    def forget_tree(self, number: str) -> None:
        """Delete the snapshot of a point, unless its folder is a symlink, which may come from the repository."""
        place = self.folder / "trees"
        if not place.is_symlink():
            (place / number).unlink(missing_ok=True)

    def locked(self) -> contextlib.AbstractContextManager[None]:
        """Lock the store against other sessions. Raises StoreError after 30 seconds."""
        return lock(self.folder / "store", 30.0)


def keep(folder: Path, point: Point, *, durable: bool = True) -> Point:
    """Write a point, numbering it if it has no id; the caller holds the lock. Raises StoreError when ``durable``.

    A point must be durable before a file is changed; the state after the turn can be read again from the tree.
    """
    if not point.id:
        point = replace(point, id=next_id(folder))
    parts = {"v": VERSION} | {part.name: getattr(point, part.name) for part in fields(point)}
    write = storage.replace if durable else storage.replace_quickly
    write(folder / f"{point.id}.json", json.dumps(parts, separators=(",", ":")).encode("ascii"))
    return point


def fetch(folder: Path, number: str) -> Point:
    """One point by its id. Raises StoreError when it is missing, damaged or from a newer version."""
    try:
        point = _point(json.loads((folder / f"{number}.json").read_bytes()))
        if point.id != number:
            raise ValueError("it has another id")
        return point
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise StoreError(f"restore point {number} cannot be read", "older ones may still be there") from error


def listed(folder: Path) -> list[Point]:
    """Every readable point, oldest first; damaged ones are skipped."""
    points = []
    for path in sorted(folder.glob("*.json")):
        with contextlib.suppress(StoreError):
            points.append(fetch(folder, path.stem))
    return points


def next_id(folder: Path) -> str:
    """The next free id; the caller holds the lock."""
    taken = [int(path.stem) for path in folder.glob("*.json") if path.stem.isdigit()]
    return f"{max(taken, default=0) + 1:06d}"


def _point(parts: dict[str, Any]) -> Point:
    if parts.pop("v") != VERSION:
        raise ValueError("another version")
    first, last = parts.pop("head")
    after = parts.pop("after")
    return Point(
        before=_states(parts.pop("before")),
        after=None if after is None else _states(after),
        made=tuple(parts.pop("made")),
        foreign=tuple(parts.pop("foreign")),
        head=(first, last),
        **parts,
    )


def _states(fields_by_path: dict[str, Any]) -> dict[str, FileState | None]:
    return {path: None if fields is None else FileState(*fields) for path, fields in fields_by_path.items()}
