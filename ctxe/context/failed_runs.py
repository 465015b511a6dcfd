"""Shows a failed result again in full when it refers to lines "as they stand above" that a fold has removed."""

from __future__ import annotations

from collections.abc import Callable, Collection

from ctxe.context.budget import Budget
from ctxe.context.calls import kind_of, parse_arguments
from ctxe.context.known_lines import ABOVE, VisibleLines
from ctxe.context.tokens import Count
from ctxe.context.tool_output import shown_output
from ctxe.domain.conversation import Conversation, Fold, Position, ToolResult
from ctxe.domain.value import replace

PART = 10
"""The results shown again take at most 1/PART of the usable tokens."""


def reshow_failed_results(
    conversation: Conversation, fold: Fold, whole: Callable[[ToolResult], str], budget: Budget, count: Count
) -> Fold:
    """The fold with such results shown as they would be now: all, else only the newest, else none, as room allows.

    Only failed results: on the recorded sessions, showing all of them again displaced as much needed text as it kept.
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
    """New texts of the wanted results by call id, as if each arrived now, after what precedes it with the fold."""
    made: dict[str, str] = {}
    known, seen = VisibleLines(), replace(fold, masks=(masks := dict(fold.masks)))
    for position, step in conversation.steps(fold.upto):
        above = known.update(_before(conversation, position, seen))
        for call, result in zip(step.reply.calls, step.results, strict=True):
            if result.call_id in wanted:
                kind = kind_of(call.name, parse_arguments(call.arguments))
                text = shown_output(whole(result), kind, budget.window, count, above).text
                made |= {result.call_id: text} if text != result.text else {}
        masks |= made
    return made


def _before(conversation: Conversation, position: Position, fold: Fold) -> Conversation:
    """The conversation before the step at ``position``, with ``fold`` applied."""
    turn = conversation.turns[position.turn]
    turns = (*conversation.turns[: position.turn], replace(turn, steps=turn.steps[: position.step]))
    return Conversation(turns, fold)
