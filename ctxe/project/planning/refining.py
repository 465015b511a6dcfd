"""The plan looked over by the user's cheap model ([plan] refine): at most two questions, and what they cost."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ctxe.data import read_text
from ctxe.domain.conversation import Reply
from ctxe.domain.errors import CostLimit, CtxeError
from ctxe.domain.events import Consulted
from ctxe.domain.model import Message, Provider, Request, Text
from ctxe.domain.value import dataclass, field, replace
from ctxe.project.guarding import masking
from ctxe.project.planning.purse import Purse
from ctxe.repo.planning.planner import Plan
from ctxe.repo.planning.ranking import Ranking
from ctxe.repo.planning.refine import refined
from ctxe.repo.planning.steering import Steering

if TYPE_CHECKING:
    from ctxe.project import Project

MOST_OUTPUT = 2_000
"""Tokens of one answer; models that think first need some room."""

LOOK, SPENT = "look over the plan", "the money for this session is spent"

Planner = Callable[[str, Steering], tuple[Plan, Ranking]]


@dataclass(slots=True)
class ModelQuestions:
    """Questions to one model, their number, and US dollars spent so far; None when its prices are unknown."""

    provider: Provider
    clean: Callable[[str], str]
    cost: float | None = 0.0
    times: int = 0
    rules: str = "refine.md"
    why: str = LOOK
    purse: Purse = field(default_factory=Purse)

    def __call__(self, words: str) -> str:
        """The model's answer. Raises ProviderError."""
        if self.purse.empty:
            raise CostLimit(SPENT, "raise budget.max_cost")
        rules = read_text(self.rules)
        output = min(MOST_OUTPUT, self.provider.model.max_output)
        request = Request((), (rules,), (Message("user", (Text(self.clean(words)),)),), output)
        for part in self.provider.stream(request):
            if isinstance(part, Reply):
                self._charge(part)
                return part.text
        return ""

    def _charge(self, reply: Reply) -> None:
        self.times += 1
        model, usage = self.provider.model, reply.usage
        price = model.prices.cost(usage) if model.prices and usage else None
        self.cost = None if price is None or self.cost is None else self.cost + price
        self.purse.pay(Consulted(self.why, model.id, usage, price))


def looked_over(project: Project, planned: Planner, task: str, steering: Steering, purse: Purse) -> Plan:
    """The plan for a task after the model's wishes; without them, and with a note, when it cannot be asked."""
    from ctxe.project.models import choose, connect

    try:
        model = choose(project, project.config.model.cheap)
        asked = ModelQuestions(connect(project, model, lambda words, _: "{}"), masking(project.own_keys), purse=purse)
        made = refined(planned, task, steering, asked)
    except CtxeError as error:
        return noted(planned(task, steering)[0], f"not looked over: {error.message}")
    return noted(made, told(asked))


def told(asked: ModelQuestions) -> str:
    """What was asked of whom, and for how much."""
    price = "at an unknown price" if asked.cost is None else f"for ${asked.cost:.4f}"
    return f"looked over by {asked.provider.model.id} in {asked.times} question{'s' * (asked.times != 1)} {price}"


def noted(made: Plan, *notes: str) -> Plan:
    """A plan with more to tell about it."""
    return replace(made, note="; ".join(note for note in (made.note, *notes) if note))
