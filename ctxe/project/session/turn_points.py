"""Keeps one restore point per turn: taken before its first edit or command, finished at its end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from ctxe.agent.state import State
from ctxe.domain.errors import StoreError
from ctxe.domain.events import Event, Notice, ToolFinished, ToolStarted, TurnFinished, TurnStarted
from ctxe.domain.tool import Action, Risk
from ctxe.domain.value import dataclass, field
from ctxe.repo.undo import restore
from ctxe.repo.undo.points import Point, Restore
from ctxe.safety.display import one_line
from ctxe.safety.protected import protection

SHOWN = 5
"""Most paths to name in one line."""


@dataclass(slots=True)
class TurnPoints:
    """The restore points of one session. It is called before each action, and listens to events to finish each point.

    ``words`` and ``turn`` are those of the turn, ``spans`` the times in which its tools ran. ``known`` are paths that
    ctxe's own tools changed in this point; ``alone`` says if commands run without approval.
    """

    place: Restore
    session: str
    alone: Callable[[], bool] = lambda: False
    words: str = ""
    turn: int = 0
    point: Point | None = None
    spans: list[tuple[float, float]] = field(default_factory=list)
    began: dict[str, float] = field(default_factory=dict)
    known: set[str] = field(default_factory=set)

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
