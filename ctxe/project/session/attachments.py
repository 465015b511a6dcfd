"""Shows pictures from anywhere on the user's machine with their words, or says why one cannot be shown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ctxe.domain.errors import StoreError, ToolError
from ctxe.domain.events import Event, Notice, Queued, TurnStarted
from ctxe.domain.picture import Picture
from ctxe.domain.section import Omission
from ctxe.project.window.mentions import NAMED
from ctxe.project.window.pictures import picture_chunk, picture_maker, read_outside_picture

if TYPE_CHECKING:
    from ctxe.agent.state import State
    from ctxe.project import Project


NO_FILE = "there is no file"
"""Start of the reason when a path names no file."""


def attach_pictures(project: Project, state: State, paths: Sequence[Path]) -> list[Event]:
    """Events for pictures outside the project that the user names: each is queued for the next words.

    A file that is no picture, that is too large or that the model cannot see becomes a line for the user. A picture
    that is queued already, for instance after words were taken back, is not queued twice.
    """
    waiting = {chunk.picture.digest for chunk in state.queued if chunk.picture}
    events: list[Event] = []
    taken: list[Picture] = []
    for path in paths:
        try:
            picture = read_outside_picture(project, path, state, taken)
        except (ToolError, StoreError) as error:
            events.append(Notice(f"not shown: {error}", "warning"))
            continue
        taken.append(picture)
        events.append(Notice(f"shown with your words: {picture.description}"))
        if picture.digest not in waiting:
            events.append(Queued((picture_chunk(picture, "you named it"),)))
    return events


def attach_pasted(project: Project, state: State, data: bytes) -> list[Event]:
    """Events for a picture from the clipboard: it is queued for the next words, or a line says why not."""
    try:
        picture = picture_maker(project, lambda: state, keep=True)("clipboard.png", data)
    except ToolError as error:
        return [Notice(f"not shown: {error}", "warning")]
    if picture is None:
        return [Notice("not shown: what was copied is not a picture", "warning")]
    shown = Queued((picture_chunk(picture, "you copied it"),))
    return [Notice(f"shown with your next words: {picture.description}"), shown]


def not_shown_notices(event: Event, _state: State) -> Iterator[Notice]:
    """A line for each file that the words named but the model is not shown. A listener of the session."""
    for section in event.gathered if isinstance(event, TurnStarted) else ():
        for one in section.left_out if section.name == NAMED else ():
            if _meant_a_file(one):
                reason = one.why if one.why.startswith(one.id) or NO_FILE in one.why else f"{one.id}: {one.why}"
                yield Notice(f"not shown: {reason}", "warning")


def _meant_a_file(left: Omission) -> bool:
    """Did the user mean a file? An ``@word`` may also be a decorator or a person's name."""
    return NO_FILE not in left.why or "/" in left.id or "did you mean" in left.why
