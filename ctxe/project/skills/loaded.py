"""Which domain modules a session holds, read from its conversation alone."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from ctxe.agent.state import State
from ctxe.domain.conversation import Conversation, Position, ToolCall, Turn
from ctxe.knowledge import globs
from ctxe.knowledge.skills.page import PREFIX
from ctxe.knowledge.skills.source import HeldSkills

IDLE = 10
"""Steps without use after which a fold lets a module go."""


def held(state: State, scopes: Mapping[str, tuple[str, ...]]) -> HeldSkills:
    """Which modules stand in the request, and which a fold carries over: those used in the newest steps.

    A function of the log alone. ``scopes`` gives each module's globs: touching such a file is using the module.
    """
    talk = state.conversation
    masks = talk.fold.masks if talk.fold else {}
    visible = {chunk.id for section in state.standing or () for chunk in section.chunks}
    visible |= {chunk.id for chunk in state.queued}
    last: dict[str, int] = {}
    for number, at, name, call in _uses(talk):
        last[name] = number
        if at >= talk.upto and (call is None or _loads(call, name, masks)):
            visible.add(PREFIX + name)
    steps = sum(len(turn.steps) for turn in talk.turns)
    _touch(talk, scopes, last)
    standing = frozenset(one[len(PREFIX) :] for one in visible if one.startswith(PREFIX))
    recent = {name: "in use" for name, number in last.items() if number > steps - IDLE and name not in standing}
    return HeldSkills(standing, recent)


def _uses(talk: Conversation) -> Iterator[tuple[int, Position, str, ToolCall | None]]:
    """(steps before, where, module, the call) of all that loaded or used a module; no call: it came with words."""
    number = 0
    for t, turn in enumerate(talk.turns):
        yield from ((number, Position(t), name, None) for name in _gathered(turn))
        for s, step in enumerate(turn.steps):
            number += 1
            for call, result in zip(step.reply.calls, step.results, strict=True):
                if call.name == "use" and result.ok and (name := _target(call)):
                    yield number, Position(t, s), name.partition("/")[0], call


def _gathered(turn: Turn) -> Iterator[str]:
    for section in turn.gathered:
        yield from (chunk.id[len(PREFIX) :] for chunk in section.chunks if chunk.id.startswith(PREFIX))


def _target(call: ToolCall) -> str:
    try:
        name = json.loads(call.arguments).get("name", "")
    except (ValueError, AttributeError, RecursionError):
        return ""
    return name.strip().strip("/") if isinstance(name, str) else ""


def _loads(call: ToolCall, name: str, masks: Mapping[str, str]) -> bool:
    """Did the call bring the module's body, and does its result stand?"""
    return _target(call) == name and call.id not in masks


def _touch(talk: Conversation, scopes: Mapping[str, tuple[str, ...]], last: dict[str, int]) -> None:
    """A loaded module is used while files of its scope are."""
    scoped = {name: scopes[name] for name in last if scopes.get(name)}
    if not scoped:
        return
    for number, (_, step) in enumerate(talk.steps(), start=1):
        touched = [touch.path for result in step.results for touch in result.touches]
        for name, scope in scoped.items():
            if number > last[name] and any(globs.matches(path, scope) for path in touched):
                last[name] = number
