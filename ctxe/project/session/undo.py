"""Undo for a session: takes back what its turns changed, and shows it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ctxe.domain.value import dataclass
from ctxe.project.session.turn_points import TurnPoints
from ctxe.repo.undo import restore
from ctxe.repo.undo.points import Point
from ctxe.safety.display import one_line
from ctxe.tools.diff import unified


@dataclass(slots=True)
class Undo:
    """Undoes the turns of one session, by its ``points`` and those of the session it was ``copied`` from.

    ``undone`` is the turn whose changes the last ``undo`` restored, or found restored already; 0 when it failed.
    ``on_undo`` is called with the restored files, ``on_redo`` with those that a ``redo`` brought back.
    """

    points: TurnPoints
    copied: restore.Copied = ()
    undone: int = 0
    on_undo: Callable[[Sequence[str]], None] = lambda _: None
    on_redo: Callable[[Sequence[str]], None] = lambda _: None

    def undo(self, *, force: bool = False) -> list[str]:
        """Undo the newest turn's changes; one line per result. Raises StoreError."""
        point = restore.latest(self.points.place, self.points.session, self.copied)
        self.undone = 0
        if point is None:
            return ["nothing to undo in this session"]
        done = restore.undo(self.points.place, point, force=force)
        self.undone = point.turn if done.restored or not (done.conflicts or done.failed) else 0
        self.on_undo(done.restored)
        return [*_report(done, "/undo"), *self._which_turn(point, done)] or ["that turn changed nothing"]

    def _which_turn(self, point: Point, done: restore.Undone) -> list[str]:
        """A line that names the undone turn when it is not the newest: the newest may have changed no covered file."""
        older = done.restored and point.title and point.turn != self.points.turn
        return [f"that was turn {point.turn}: {one_line(point.title)}"] if older else []

    def newest_turn(self) -> int:
        """The newest turn whose changes can be undone; 0 when there is none. Raises StoreError."""
        point = restore.latest(self.points.place, self.points.session, self.copied)
        return point.turn if point else 0

    def redo(self, *, force: bool = False) -> list[str]:
        """Take back the newest undo; one line per result. Raises StoreError."""
        point = restore.redoable(self.points.place, self.points.session, self.copied)
        if point is None:
            return ["nothing to redo: no undo, or a later turn changed files"]
        done = restore.undo(self.points.place, point, force=force)
        self.on_redo(done.restored)
        return _report(done, "/redo") or ["that undo changed nothing"]

    def changed_paths(self) -> list[str]:
        """Paths that this session changed, sorted."""
        return sorted(self._first_points())

    def diff(self) -> str:
        """The session's remaining changes as a unified diff."""
        parts = []
        for path, point in sorted(self._first_points().items()):
            was = restore.before(self.points.place, point, path)
            file = self.points.place.root / path
            now = file.read_bytes() if file.is_file() else None
            if was != now:
                parts.append(unified(path, _text(was), _text(now)))
        return "".join(parts)

    def _first_points(self) -> dict[str, Point]:
        """The first restore point of this session that covers a path, for each changed path."""
        points = restore.points_of(self.points.place, self.points.session, self.copied)
        first: dict[str, Point] = {}
        for point in sorted((one for one in points if not (one.undone or one.of)), key=lambda one: one.id):
            for change in restore.changes(self.points.place, point):
                if change.covered:
                    first.setdefault(change.path, point)
        return first


def _report(done: restore.Undone, command: str) -> list[str]:
    lines = [f"put back: {path}" for path in done.restored]
    lines += [f"changed since, left alone: {path} ({command} --force takes it too)" for path in done.conflicts]
    lines += [f"not put back: {path}: {why}" for path, why in done.failed]
    return [*lines, *done.notes]


def _text(data: bytes | None) -> str | None:
    return None if data is None else data.decode("utf-8", "replace")
