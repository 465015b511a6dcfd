"""Undo for a session: one restore point per turn, taken before its first edit or command."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence

from ctxe.agent.state import State
from ctxe.domain.errors import StoreError
from ctxe.domain.events import Event, Notice, ToolFinished, ToolStarted, TurnFinished, TurnStarted
from ctxe.domain.tool import Action, Risk
from ctxe.domain.value import dataclass, field
from ctxe.repo.undo import restore
from ctxe.repo.undo.points import Point, Restore
from ctxe.safety.display import one_line
from ctxe.safety.protected import protection
from ctxe.tools.diff import unified

SHOWN = 5
"""Most paths to name in one line."""


@dataclass(slots=True)
class Undo:
    """Restore points of one session, and of the session it was ``copied`` from.

    It is called before each action, and listens to events to finish each point.

    ``undone`` is the turn whose changes the last ``undo`` restored, or found restored already; 0 when it failed.
    ``on_undo`` is called with the restored files, ``on_redo`` with those that a ``redo`` brought back. ``known`` are
    paths that ctxe's own tools changed in this point; ``alone`` says if commands run without approval.
    """

    place: Restore
    session: str
    copied: restore.Copied = ()
    words: str = ""
    turn: int = 0
    point: Point | None = None
    spans: list[tuple[float, float]] = field(default_factory=list)
    began: dict[str, float] = field(default_factory=dict)
    undone: int = 0
    known: set[str] = field(default_factory=set)
    alone: Callable[[], bool] = lambda: False
    on_undo: Callable[[Sequence[str]], None] = lambda _: None
    on_redo: Callable[[Sequence[str]], None] = lambda _: None

    def save_before(self, action: Action) -> None:
        """Save what an approved action is about to change. Raises StoreError; the action must not run then."""
        runs = bool(action.command) or action.risk is Risk.EXECUTE
        if action.risk is Risk.READ or not (action.paths or runs):
            return
        if self.point is None:
            self.point = restore.take(self.place, self.session, self.turn, self.words[:80])
        if runs:
            self.point = restore.cover_tree(self.place, self.point)
        else:
            self.point = restore.cover(self.place, self.point, action.paths)
            self.known.update(action.paths)

    def __call__(self, event: Event, state: State) -> Iterator[Event]:
        """Name the point after the user's words, note when tools ran, and finish the point at the end of the turn."""
        if isinstance(event, TurnStarted):
            self.begin(event.words, len(state.conversation.turns))
        elif isinstance(event, ToolStarted):
            self.began[event.call_id] = time.time()
        elif isinstance(event, ToolFinished):
            if (began := self.began.pop(event.result.call_id, None)) is not None:
                self.spans.append((began, time.time()))
        elif isinstance(event, TurnFinished):
            yield from self.end()

    def written_paths(self) -> tuple[str, ...]:
        """Paths that this turn's tools changed so far, commands included; empty when that is unknown."""
        if self.point is None:
            return ()
        try:
            return restore.changed_by_tools(self.place, self.point, self.spans)
        except StoreError:
            return ()

    def end(self) -> Iterator[Event]:
        """Finish the current point, if any; a notice when it cannot be saved."""
        point, self.point = self.point, None
        if point is None:
            return
        try:
            yield from self._steering_warning(restore.finish(self.place, point, self.spans))
        except StoreError as error:
            yield Notice(f"this turn cannot be undone: {error.message}", "warning")
        self.spans.clear()
        self.known.clear()

    def _steering_warning(self, point: Point) -> Iterator[Event]:
        """A warning when unapproved commands changed files that steer other programs, in folders too."""
        made = [path for path, entry in (point.after or {}).items() if entry is not None and path not in self.known]
        steering = [(path, why) for path in made if self.alone() and (why := protection(path))]
        if steering:
            listed = ", ".join(f"{one_line(path)} ({why})" for path, why in steering[:SHOWN])
            more = f" and {len(steering) - SHOWN} more" if len(steering) > SHOWN else ""
            yield Notice(
                f"commands changed files that steer other programs: {listed}{more}; look at it, /undo takes it back",
                "warning",
            )

    def begin(self, words: str, turn: int) -> None:
        """Start a turn; its point gets its words as a title."""
        self.words, self.turn = " ".join(words.split()), turn

    def undo(self, *, force: bool = False) -> list[str]:
        """Undo the newest turn's changes; one line per result. Raises StoreError."""
        point = restore.latest(self.place, self.session, self.copied)
        self.undone = 0
        if point is None:
            return ["nothing to undo in this session"]
        done = restore.undo(self.place, point, force=force)
        self.undone = point.turn if done.restored or not (done.conflicts or done.failed) else 0
        self.on_undo(done.restored)
        return [*_report(done, "/undo"), *self._which_turn(point, done)] or ["that turn changed nothing"]

    def _which_turn(self, point: Point, done: restore.Undone) -> list[str]:
        """A line that names the undone turn when it is not the newest: the newest may have changed no covered file."""
        older = done.restored and point.title and point.turn != self.turn
        return [f"that was turn {point.turn}: {one_line(point.title)}"] if older else []

    def newest_turn(self) -> int:
        """The newest turn whose changes can be undone; 0 when there is none. Raises StoreError."""
        point = restore.latest(self.place, self.session, self.copied)
        return point.turn if point else 0

    def redo(self, *, force: bool = False) -> list[str]:
        """Take back the newest undo; one line per result. Raises StoreError."""
        point = restore.redoable(self.place, self.session, self.copied)
        if point is None:
            return ["nothing to redo: no undo, or a later turn changed files"]
        done = restore.undo(self.place, point, force=force)
        self.on_redo(done.restored)
        return _report(done, "/redo") or ["that undo changed nothing"]

    def changed_paths(self) -> list[str]:
        """Paths that this session changed, sorted."""
        return sorted(self._first_points())

    def diff(self) -> str:
        """The session's remaining changes as a unified diff."""
        parts = []
        for path, point in sorted(self._first_points().items()):
            was = restore.before(self.place, point, path)
            file = self.place.root / path
            now = file.read_bytes() if file.is_file() else None
            if was != now:
                parts.append(unified(path, _text(was), _text(now)))
        return "".join(parts)

    def _first_points(self) -> dict[str, Point]:
        """The first restore point of this session that covers a path, for each changed path."""
        first: dict[str, Point] = {}
        for point in sorted(restore.points_of(self.place, self.session, self.copied), key=lambda one: one.id):
            if not point.undone and not point.of:
                for change in restore.changes(self.place, point):
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
