"""Tool calls that the model did not make: the user asked, their settings did, or a job ended."""

from __future__ import annotations

from ctxe.agent.dispatch import Dispatcher
from ctxe.domain.events import ToolFinished
from ctxe.domain.tool import Allow, Ask, Tool
from ctxe.domain.value import replace


def user_dispatcher(runs: Dispatcher, tool: Tool) -> Dispatcher:
    """Runs ``tool`` for the user: nobody is asked for approval, and a known failure does not stop it."""
    asked = replace(runs, decide=lambda _: Ask(), approve=lambda *_: Allow())  # so the log says: allowed by "user"
    return _alone(asked, tool)


def automatic_dispatcher(runs: Dispatcher, tool: Tool) -> Dispatcher:
    """Runs ``tool`` without a question, by a permission that the user gave earlier."""
    return _alone(replace(runs, decide=lambda _: Allow()), tool)


def _alone(runs: Dispatcher, tool: Tool) -> Dispatcher:
    return replace(runs, tools={tool.name: tool}, known_failure=lambda _: None)


def by_user(event: ToolFinished) -> ToolFinished:
    """The event, marked as a call of the user: what is learnt from the model's calls is not learnt from it."""
    return replace(event, facts={**event.facts, "by": "user"})
