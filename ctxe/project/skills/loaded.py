"""Which skills a session has loaded, read from its conversation alone."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from ctxe.agent.state import State
from ctxe.domain.conversation import Conversation, Position, Step, ToolCall, Turn
from ctxe.domain.value import dataclass
from ctxe.knowledge import globs
from ctxe.knowledge.skills.page import PREFIX
from ctxe.knowledge.skills.source import HeldSkills

IDLE = 10
"""Steps without use after which a fold drops a skill."""


@dataclass(frozen=True, slots=True)
class SkillUse:
    """A load or use of a skill, after ``step`` steps in all; without a ``call`` it came with the user's words."""

    name: str
    step: int
    at: Position
    call: ToolCall | None = None


def held_skills(state: State, scopes: Mapping[str, tuple[str, ...]]) -> HeldSkills:
    """The skills that are in the request, and those that a fold carries over: the ones used in the newest steps.

    It depends on the log alone. ``scopes`` gives each skill's globs: touching a matching file uses the skill.
    """
    conversation = state.conversation
    masks = conversation.fold.masks if conversation.fold else {}
    visible = {chunk.id for section in state.standing or () for chunk in section.chunks}
    visible |= {chunk.id for chunk in state.queued}
    last: dict[str, int] = {}
    for use in _uses(conversation):
        last[use.name] = use.step
        if use.at >= conversation.upto and (use.call is None or _loads(use.call, use.name, masks)):
            visible.add(PREFIX + use.name)
    steps = sum(len(turn.steps) for turn in conversation.turns)
    _count_scope_use(conversation, scopes, last)
    standing = frozenset(one[len(PREFIX) :] for one in visible if one.startswith(PREFIX))
    recent = {name: "in use" for name, number in last.items() if number > steps - IDLE and name not in standing}
    return HeldSkills(standing, recent)


def _uses(conversation: Conversation) -> Iterator[SkillUse]:
    """Every load or use of a skill, in order."""
    number = 0
    for t, turn in enumerate(conversation.turns):
        yield from (SkillUse(name, number, Position(t)) for name in _loaded_with_words(turn))
        for s, step in enumerate(turn.steps):
            number += 1
            yield from (SkillUse(name, number, Position(t, s), call) for name, call in _used_in(step))


def _used_in(step: Step) -> Iterator[tuple[str, ToolCall]]:
    """The skills that a step used, with its calls."""
    for call, result in zip(step.reply.calls, step.results, strict=True):
        if call.name == "use" and result.ok and (name := _target(call)):
            yield name.partition("/")[0], call


def _loaded_with_words(turn: Turn) -> Iterator[str]:
    for section in turn.gathered:
        yield from (chunk.id[len(PREFIX) :] for chunk in section.chunks if chunk.id.startswith(PREFIX))


def _target(call: ToolCall) -> str:
    try:
        name = json.loads(call.arguments).get("name", "")
    except (ValueError, AttributeError, RecursionError):
        return ""
    return name.strip().strip("/") if isinstance(name, str) else ""


def _loads(call: ToolCall, name: str, masks: Mapping[str, str]) -> bool:
    """Did this call load the skill, and is its result still in the request?"""
    return _target(call) == name and call.id not in masks


def _count_scope_use(conversation: Conversation, scopes: Mapping[str, tuple[str, ...]], last: dict[str, int]) -> None:
    """Count a loaded skill as used in every step that touches a file of its scope."""
    scoped = {name: scopes[name] for name in last if scopes.get(name)}
    if not scoped:
        return
    for number, (_, step) in enumerate(conversation.steps(), start=1):
        touched = [touch.path for result in step.results for touch in result.touches]
        for name, scope in scoped.items():
            if number > last[name] and any(globs.matches(path, scope) for path in touched):
                last[name] = number
