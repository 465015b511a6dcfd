"""Calls that are not the model's: at the user's word, by their settings, or because a job ended."""

from __future__ import annotations

from ctxe.agent.dispatch import Dispatcher
from ctxe.domain.events import ToolFinished
from ctxe.domain.tool import Allow, Ask, Tool
from ctxe.domain.value import replace


def at_users_word(runs: Dispatcher, tool: Tool) -> Dispatcher:
    """Runs this tool because the user says so: nobody is asked, and a known failure stops nothing."""
    asked = replace(runs, decide=lambda _: Ask(), approve=lambda *_: Allow())  # so that it is told as allowed by "user"
    return _alone(asked, tool)


def unasked(runs: Dispatcher, tool: Tool) -> Dispatcher:
    """Runs this tool by itself, allowed by what the user said before."""
    return _alone(replace(runs, decide=lambda _: Allow()), tool)


def _alone(runs: Dispatcher, tool: Tool) -> Dispatcher:
    return replace(runs, tools={tool.name: tool}, known=lambda _: None)


def by_user(event: ToolFinished) -> ToolFinished:
    """The end of a call that says who made it, so that nothing is learnt from it as from the model's."""
    return replace(event, facts={**event.facts, "by": "user"})
