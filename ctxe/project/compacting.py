"""A fold at the user's word: what it would do, item by item, and what it is asked to keep in sight."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from ctxe.agent.state import State
from ctxe.context.calls import taken_apart
from ctxe.domain.conversation import Conversation, Fold, ToolResult
from ctxe.domain.ledger import Ledger
from ctxe.project.folds import Folds

LONGEST = 80
"""Characters of what a step did."""


@dataclass(frozen=True, slots=True)
class Preview:
    """A fold that nobody made yet: the account of the request as it stands and as it would be.

    ``did`` says what each step did, by the name of its row.
    """

    fold: Fold
    before: Ledger
    after: Ledger
    did: dict[str, str]


def wanted_fold(state: State, folds: Folds, focus: str = "") -> Fold | None:
    """The fold that a person asks for now; None when there is nothing to fold. ``state`` has its standing sections."""

    def whole(result: ToolResult) -> str:
        return state.originals.get(result.handle, result.text)

    fold = folds.fold(state, "request", whole, focus)
    return fold if fold is not None and (fold.record or fold.masks) else None


def preview(state: State, folds: Folds, focus: str = "") -> Preview | None:
    """What a fold would do; nothing is changed. Raises BudgetError."""
    fold = wanted_fold(state, folds, focus)
    if fold is None:
        return None
    folded = replace(state, conversation=replace(state.conversation, fold=fold), held=(), left=state.held)
    before, after = folds.composer.compose(state).ledger, folds.composer.compose(folded).ledger
    return Preview(fold, before, after, dict(_did(state.conversation)))


def _did(conversation: Conversation) -> Iterator[tuple[str, str]]:
    for position, step in conversation.steps():
        calls = [f"{call.name} {' '.join(taken_apart(call.arguments).title[:1])}".strip() for call in step.reply.calls]
        says = ", ".join(calls) or " ".join(step.reply.text.split())
        yield f"step {position.turn + 1}.{position.step + 1}", says[:LONGEST]
    for number, turn in enumerate(conversation.turns, start=1):
        yield f"turn {number}", " ".join(turn.words.split())[:LONGEST]
