"""Who decides what runs, as a session's log has it: a change is told once, and a session that goes on keeps it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from ctxe.domain.events import Event, ModeChosen, Noted, Queued
from ctxe.domain.section import Chunk

if TYPE_CHECKING:
    from ctxe.agent.state import State
    from ctxe.project import Project
    from ctxe.project.session.permit import Permit

FLAG = "command line"
READS_AGAIN = (
    "[ctxe: from here on this session only reads; propose a plan by `use` with name plan before anything is changed]"
)
READS_NO_MORE = "[ctxe: this session no longer only reads; approval: {mode}]"


def changed(permit: Permit, state: State) -> Iterator[Event]:
    """The event for a mode that is another one than the log has."""
    if permit.mode != (state.mode or permit.began):
        yield ModeChosen(permit.mode)


def between(permit: Permit, state: State) -> Iterator[Event]:
    """The same between two steps, where the model is told that it may do more, unless the yes to its plan said so."""
    before = state.mode or permit.began
    for event in changed(permit, state):
        yield event
        newest = state.turn.steps[-1] if state.conversation.turns and state.turn.steps else None
        said = newest is not None and any('"plan"' in call.arguments for call in newest.reply.calls)
        if before == "read-only" and not said:
            news = (Chunk("approval", READS_NO_MORE.format(mode=permit.mode), "you changed the mode"),)
            yield Noted(news) if newest else Queued(news)


def told(permit: Permit, state: State, tools: Collection[str]) -> Iterator[Event]:
    """What goes with the user's next words: that a session only reads and how it plans, or that it does so no more."""
    before, event = state.mode or permit.began, next(changed(permit, state), None)
    if event is not None:
        yield event
    if "use" not in tools:
        return
    from ctxe.tools.use_plan import ALONE, HINT

    begun = bool(state.conversation.turns)
    if permit.mode == "read-only":
        hint = HINT if permit.interactive else ALONE
        text = READS_AGAIN if begun and before != permit.mode else hint
        yield Queued((Chunk("approval", text, "this session only reads"),))
    elif before == "read-only" and event is not None and begun:
        yield Queued((Chunk("approval", READS_NO_MORE.format(mode=permit.mode), "you changed the mode"),))


def resumed(project: Project, permit: Permit, state: State, mode: str) -> tuple[str, ...]:
    """Go on in the mode that a session was left in, unless the command line or the chat before it (``mode``) says one.

    A log stands in the repository, and what is from there can only tighten: a mode that allows more than the one of
    now is offered, and not taken up by itself. What a person should know of it is returned.
    """
    from ctxe.safety.trust import MODES

    if not state.mode or mode or project.loaded.origins.get("approval.mode") == FLAG or state.mode == permit.mode:
        return ()
    if state.mode not in MODES or MODES.index(state.mode) > MODES.index(permit.mode):
        left = f"this session was left in approval {state.mode}"
        return (f"{left}; now it is {permit.mode}: /mode {state.mode} brings it back",)
    permit.switch(state.mode)
    return (f"approval {state.mode}, as this session was left",)
