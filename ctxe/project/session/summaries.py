"""When a model summarises a session, and which model."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from ctxe.agent.state import State
from ctxe.agent.summarize import Summarizer
from ctxe.context.compact import FoldPolicy, checkpoint_due
from ctxe.data import read_text
from ctxe.domain.events import Event
from ctxe.domain.model import Model, Provider
from ctxe.project.models import choose, connect
from ctxe.project.window.compose import Composer

if TYPE_CHECKING:
    from ctxe.project import Project

IDLE = 30.0
"""Seconds of silence after which a summariser is given up."""

Summarize = Callable[[State, str], Iterator[Event]]


def summarizer(project: Project, model: Model, composed: Composer, clean: Callable[[str], str]) -> Summarizer | None:
    """A summarizer with the cheap model where one is configured, else with the session's; None offline."""
    if model.provider == "offline":
        return None

    def reached() -> Provider:
        cheap = project.config.model.cheap
        return connect(project, choose(project, cheap) if cheap else model, lambda words, _: "", idle=IDLE)

    prompt = read_text("summary.md")
    return Summarizer(reached, prompt, composed.count, clean, time.monotonic)


def automatic_summaries(project: Project, policy: FoldPolicy, asked: Summarizer | None) -> Summarize:
    """The automatic summaries of the agent loop: at checkpoints, and at a fold (``cause``) if the settings say so."""

    def summarize(state: State, cause: str) -> Iterator[Event]:
        if asked is None:
            return
        done = sum(1 for _ in state.conversation.steps())
        since = done - (state.summary.steps if state.summary else 0)
        wanted = project.config.fold.summary == "always" if cause else checkpoint_due(since, policy)
        if wanted and since:
            yield from asked(state)

    return summarize
