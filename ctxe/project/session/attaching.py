"""Putting a picture from anywhere on the user's machine beside their words, and saying so where one is not shown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ctxe.domain.errors import StoreError, ToolError
from ctxe.domain.events import Event, Notice, Queued, TurnStarted
from ctxe.domain.picture import Picture
from ctxe.domain.section import Omission
from ctxe.project.window.mentions import NAMED
from ctxe.project.window.pictured import pictured, read_outside, taker

if TYPE_CHECKING:
    from ctxe.agent.state import State
    from ctxe.project import Project


NO_FILE = "there is no file"
"""How the reason begins for a path that names nothing."""


def attached(project: Project, state: State, paths: Sequence[Path]) -> list[Event]:
    """What happens when the user names pictures outside of the project: each is told with the next words.

    One that is none, is too large, or that the model cannot see becomes a line for the user. One that waits for these
    words already, as after they were taken back, is told once.
    """
    waiting = {chunk.picture.digest for chunk in state.queued if chunk.picture}
    events: list[Event] = []
    taken: list[Picture] = []
    for path in paths:
        try:
            picture = read_outside(project, path, state, taken)
        except (ToolError, StoreError) as error:
            events.append(Notice(f"not shown: {error}", "warning"))
            continue
        taken.append(picture)
        events.append(Notice(f"shown with your words: {picture.words}"))
        if picture.digest not in waiting:
            events.append(Queued((pictured(picture, "you named it"),)))
    return events


def pasted(project: Project, state: State, data: bytes) -> list[Event]:
    """A picture that was copied, told with the user's next words; or a line that says why not."""
    try:
        picture = taker(project, lambda: state, keep=True)("clipboard.png", data)
    except ToolError as error:
        return [Notice(f"not shown: {error}", "warning")]
    if picture is None:
        return [Notice("not shown: what was copied is no picture", "warning")]
    shown = Queued((pictured(picture, "you copied it"),))
    return [Notice(f"shown with your next words: {picture.words}"), shown]


def unshown(event: Event, _state: State) -> Iterator[Notice]:
    """A line for each file that the words named and that the model is not shown: a listener of the session."""
    for section in event.gathered if isinstance(event, TurnStarted) else ():
        for one in section.left_out if section.name == NAMED else ():
            if _meant(one):
                said = one.why if one.why.startswith(one.id) or NO_FILE in one.why else f"{one.id}: {one.why}"
                yield Notice(f"not shown: {said}", "warning")


def _meant(left: Omission) -> bool:
    """Was a file meant? An ``@word`` may be a decorator or somebody's name."""
    return NO_FILE not in left.why or "/" in left.id or "did you mean" in left.why
