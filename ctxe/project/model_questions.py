"""Questions to a model beside the conversation, for instance to the user's cheap one; each is paid and logged."""

from __future__ import annotations

from collections.abc import Callable

from ctxe.data import read_text
from ctxe.domain.conversation import Reply
from ctxe.domain.errors import CostLimit
from ctxe.domain.events import Consulted
from ctxe.domain.model import Message, Provider, Request, Text
from ctxe.domain.value import dataclass
from ctxe.project.allowance import Allowance

MOST_OUTPUT = 2_000
"""Token limit of one answer; reasoning models need some room."""
SPENT = "the money for this session is spent"


@dataclass(slots=True)
class ModelQuestions:
    """Questions to one model, with the packaged text ``rules`` as system prompt; ``why`` is logged with the price.

    ``times`` counts the questions so far, ``cost`` is their price in US dollars (None: a price is unknown).
    """

    provider: Provider
    clean: Callable[[str], str]
    rules: str
    why: str
    allowance: Allowance
    cost: float | None = 0.0
    times: int = 0

    def __call__(self, words: str) -> str:
        """The model's answer. Raises CostLimit when the money is spent, and ProviderError."""
        if self.allowance.is_spent:
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
        self.allowance.charge(Consulted(self.why, model.id, usage, price))
