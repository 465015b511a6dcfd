"""What failed and stands through a fold, told as lines that stand above and gave way with it: it is told again."""

from __future__ import annotations

from collections.abc import Callable, Collection

from ctxe.context.budget import Budget
from ctxe.context.calls import kind_of, taken_apart
from ctxe.context.seen import ABOVE, Standing
from ctxe.context.tokens import Count
from ctxe.context.tool_output import shown_output
from ctxe.domain.conversation import Conversation, Fold, Position, ToolResult
from ctxe.domain.value import replace

PART = 10
"""What is told again takes at most this part of what a request may hold."""


def retold(
    conversation: Conversation, fold: Fold, whole: Callable[[ToolResult], str], budget: Budget, count: Count
) -> Fold:
    """The fold with such results as they would be told now; of too many the newest alone, and none that is too long.

    Only of what failed: on the recorded sessions, telling all again cost as much of what else they need as it kept.
    """
    notes = [
        result.call_id
        for _, step in conversation.steps(fold.upto)
        for result in step.results
        if not result.ok and result.call_id not in fold.masks and ABOVE in result.text
    ]
    for wanted in (notes, notes[-1:]) if notes else ():
        masks = _masks(conversation, fold, whole, set(wanted), budget, count)
        if not masks:
            return fold
        results = (result for _, step in conversation.steps(fold.upto) for result in step.results)
        more = sum(count(masks[one.call_id]) - count(one.text) for one in results if one.call_id in masks)
        if more <= budget.usable // PART:
            return replace(fold, masks={**fold.masks, **masks}, tokens_after=fold.tokens_after + more)
    return fold


def _masks(
    conversation: Conversation,
    fold: Fold,
    whole: Callable[[ToolResult], str],
    wanted: Collection[str],
    budget: Budget,
    count: Count,
) -> dict[str, str]:
    """What stands for the wanted results: each as it is born behind what stands before it."""
    made: dict[str, str] = {}
    known, seen = Standing(), replace(fold, masks=(masks := dict(fold.masks)))
    for position, step in conversation.steps(fold.upto):
        above = known.of(_before(conversation, position, seen))
        for call, result in zip(step.reply.calls, step.results, strict=True):
            if result.call_id in wanted:
                kind = kind_of(call.name, taken_apart(call.arguments))
                text = shown_output(whole(result), kind, budget.window, count, above).text
                made |= {result.call_id: text} if text != result.text else {}
        masks |= made
    return made


def _before(conversation: Conversation, position: Position, fold: Fold) -> Conversation:
    """The conversation up to a step, through a fold."""
    turn = conversation.turns[position.turn]
    turns = (*conversation.turns[: position.turn], replace(turn, steps=turn.steps[: position.step]))
    return Conversation(turns, fold)
