"""A second look at the plan by the user's cheap model ([plan] refine): at most two questions, and their cost."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ctxe.domain.errors import CtxeError
from ctxe.domain.value import replace
from ctxe.project.allowance import Allowance
from ctxe.project.model_questions import ModelQuestions
from ctxe.project.secret_guards import secret_masker
from ctxe.repo.planning.planner import Plan
from ctxe.repo.planning.ranking import Ranking
from ctxe.repo.planning.refine import refine
from ctxe.repo.planning.steering import Steering

if TYPE_CHECKING:
    from ctxe.project import Project

LOOK = "look over the plan"
NOBODY = "not looked over: no model is set up"

Planner = Callable[[str, Steering], tuple[Plan, Ranking]]


def second_look(project: Project, planned: Planner, task: str, steering: Steering, allowance: Allowance) -> Plan:
    """The plan after the model's changes; without them, and with a note, when the model cannot be asked."""
    from ctxe.project.models import choose, connect

    try:
        model = choose(project, project.config.model.cheap)
        if model.provider == "offline":
            return with_notes(planned(task, steering)[0], NOBODY)
        provider, clean = connect(project, model, lambda *_: "{}"), secret_masker(project.own_keys)
        asked = ModelQuestions(provider, clean, "refine.md", LOOK, allowance)
        made = refine(planned, task, steering, asked)
    except CtxeError as error:
        return with_notes(planned(task, steering)[0], f"not looked over: {error.message}")
    return with_notes(made, cost_line(asked))


def cost_line(asked: ModelQuestions) -> str:
    """The model, the number of questions and their price, in words."""
    price = "at an unknown price" if asked.cost is None else f"for ${asked.cost:.4f}"
    return f"looked over by {asked.provider.model.id} in {asked.times} question{'s' * (asked.times != 1)} {price}"


def with_notes(made: Plan, *notes: str) -> Plan:
    """The plan with more notes."""
    return replace(made, note="; ".join(note for note in (made.note, *notes) if note))
