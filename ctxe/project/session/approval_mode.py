"""The approval mode in a session's log: each change is announced once, and a resumed session keeps its mode."""

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


def mode_change(permit: Permit, state: State) -> Iterator[Event]:
    """A ModeChosen event if the mode is not the one in the log."""
    if permit.mode != (state.mode or permit.first_mode):
        yield ModeChosen(permit.mode)


def announce_mode(permit: Permit, state: State) -> Iterator[Event]:
    """Announce a changed mode between two steps.

    The model learns that it may do more, unless the approval of its plan has told it so.
    """
    before = state.mode or permit.first_mode
    for event in mode_change(permit, state):
        yield event
        newest = state.turn.steps[-1] if state.conversation.turns and state.turn.steps else None
        announced = newest is not None and any('"plan"' in call.arguments for call in newest.reply.calls)
        if before == "read-only" and not announced:
            news = (Chunk("approval", READS_NO_MORE.format(mode=permit.mode), "you changed the mode"),)
            yield Noted(news) if newest else Queued(news)


def before_words(permit: Permit, state: State, tools: Collection[str]) -> Iterator[Event]:
    """Events before the user's next words, when a session is read-only (with how to propose a plan) or no longer is."""
    before, event = state.mode or permit.first_mode, next(mode_change(permit, state), None)
    if event is not None:
        yield event
    if "use" not in tools:
        return
    from ctxe.tools.use_plan import HINT, NOBODY_HERE

    begun = bool(state.conversation.turns)
    if permit.mode == "read-only":
        hint = HINT if permit.interactive else NOBODY_HERE
        text = READS_AGAIN if begun and before != permit.mode else hint
        yield Queued((Chunk("approval", text, "this session only reads"),))
    elif before == "read-only" and event is not None and begun:
        yield Queued((Chunk("approval", READS_NO_MORE.format(mode=permit.mode), "you changed the mode"),))


def restore_mode(project: Project, permit: Permit, state: State, mode: str) -> tuple[str, ...]:
    """Restore the mode in which a session was left, unless the command line or the chat before it (``mode``) sets one.

    The log lies in the repository, and a repository may only tighten permissions: a mode that allows more than the
    current one is offered but not restored. Returns lines for the user.
    """
    from ctxe.safety.trust import MODES

    if not state.mode or mode or project.loaded.origins.get("approval.mode") == FLAG or state.mode == permit.mode:
        return ()
    if state.mode not in MODES or MODES.index(state.mode) > MODES.index(permit.mode):
        left = f"this session was left in approval {state.mode}"
        return (f"{left}; now it is {permit.mode}: /mode {state.mode} brings it back",)
    permit.switch(state.mode)
    return (f"approval {state.mode}, as this session was left",)
