"""Shows what the next request would hold, without sending it: for ``ctxe budget``, ``ctxe pack`` and ``--dry-run``."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from ctxe.agent.state import State
from ctxe.domain.conversation import ToolCall
from ctxe.domain.errors import StoreError, ToolError
from ctxe.domain.ledger import Ledger
from ctxe.domain.model import Carry, Image, Request, Text
from ctxe.domain.section import Chunk

if TYPE_CHECKING:
    from ctxe.project import Project
    from ctxe.project.session_options import Opening
    from ctxe.project.window.compose import Composer


def composer_for(project: Project, tools: tuple[str, ...] = (), skills: tuple[str, ...] = ()) -> Composer:
    """A composer like that of a session in this project. It connects to no host and writes no file of the project."""
    from ctxe.project.memory.writer import memory_writer
    from ctxe.project.planning.plan import unconnected
    from ctxe.project.window.kit import kit_for
    from ctxe.project.window.sources import composer

    project = unconnected(project)
    kit = kit_for(project, memory_writer(project, "preview"), only=tools, skills=skills)
    return composer(project, project.model, kit, "preview")


def ledger(project: Project, words: str) -> Ledger:
    """The ledger of the first request for these words. Raises BudgetError."""
    composed = composer_for(project)
    found = composed.preview(words, State())
    composed.save()
    return found


def request_plain(project: Project, opening: Opening, words: str, own: str | None = None) -> dict[str, Any]:
    """The request as JSON: model, tools, system blocks, messages. Raises BudgetError and SessionError.

    ``own`` is the user's own part of the words, which alone may name pictures outside the project (None: all of them).
    """
    from ctxe.agent.transitions import apply
    from ctxe.domain.events import EpochStarted, FileChosen, Folded, Queued, TurnStarted
    from ctxe.project.window.folds import folds

    composed = composer_for(project, opening.tools, opening.skills)
    state = _resumed(project, opening)
    for path, choice in opening.files:
        state = apply(state, FileChosen(path, choice))
    state = apply(state, Queued(_pictures(project, words if own is None else own, state)))
    if state.standing is None:
        state = apply(state, EpochStarted(composed.standing(state)))
    state = apply(state, TurnStarted(words, composed.gather(words, state)))
    if fold := folds(project, composed).fold(state, ""):
        state = apply(state, Folded(fold))
        state = apply(state, EpochStarted(composed.standing(state)))
    return {"model": project.model.id, **_plain(composed.compose(state).request)}


def _pictures(project: Project, words: str, state: State) -> tuple[Chunk, ...]:
    """Pictures outside the project that words name, as a session would show them; others are left out."""
    from ctxe.project.window.pictures import outside_pictures, picture_chunk, read_outside_picture

    found: list[Chunk] = []
    for path in outside_pictures(project, words):
        with contextlib.suppress(ToolError, StoreError):
            found.append(picture_chunk(read_outside_picture(project, path, state, keep=False), "you named it"))
    return tuple(found)


def _resumed(project: Project, opening: Opening) -> State:
    """The state of the session that would be resumed; an empty one for a new session. Raises SessionError."""
    if not (opening.resume or opening.newest):
        return State()
    from ctxe.agent.transitions import apply, closing_events, rebuild
    from ctxe.domain.events import ModelChosen
    from ctxe.project.sessions import events, path_of

    state = rebuild(events(path_of(project.place.sessions, opening.resume))[0])
    for event in closing_events(state, "interrupted"):
        state = apply(state, event)
    return state if state.model == project.model.id else apply(state, ModelChosen(project.model.id))


def _plain(request: Request) -> dict[str, Any]:
    tools = [{"name": t.name, "description": t.description, "parameters": t.parameters} for t in request.tools]
    messages = [{"role": m.role, "content": [_block(b) for b in m.blocks]} for m in request.messages]
    asked = {"max_output": request.max_output, **({"effort": request.effort} if request.effort else {})}
    return {**asked, "system": list(request.system), "messages": messages, "tools": tools}


def _block(block: Any) -> Any:
    match block:
        case Text(text):
            return {"type": "text", "text": text}
        case ToolCall(call_id, name, arguments):
            return {"type": "call", "id": call_id, "name": name, "arguments": arguments}
        case Image(picture):
            return {"type": "picture", "name": picture.name, "media": picture.media, "hash": picture.digest}
        case Carry():
            return {"type": "carry", "model": block.model}
        case _:
            return {"type": "result", "id": block.call_id, "text": block.text}
