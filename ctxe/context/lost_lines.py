"""Results that refer to lines "as they stand above" after a fold removed those: shown again, or marked as folded."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence

from ctxe.context.budget import Budget
from ctxe.context.calls import kind_of, parse_arguments
from ctxe.context.known_lines import ABOVE, FOLDED, VisibleLines, references
from ctxe.context.tokens import Count
from ctxe.context.tool_output import shown_output, without_known_lines
from ctxe.context.trim import handle_of
from ctxe.domain.conversation import Conversation, Fold, Position, ToolCall, ToolResult
from ctxe.domain.value import dataclass, replace

PART = 10
"""The results shown again take at most 1/PART of the usable tokens."""

Whole = Callable[[ToolResult], str]
"""The full text of a result."""


def settle_references(conversation: Conversation, fold: Fold, whole: Whole, budget: Budget, count: Count) -> Fold:
    """The fold with no result that refers to lines it removed.

    What failed and what the newest step asked for is shown as it would be now: all of it, else less, as room allows. In
    the other results the reference says that the lines are folded: on the recorded sessions, showing them again
    displaced as much needed text as it kept.
    """
    steps = [step for _, step in conversation.steps(fold.upto)]
    results = [result for step in steps for result in step.results]
    failed = [one.call_id for one in results if not one.ok and one.call_id not in fold.masks and ABOVE in one.text]
    newest = [one.call_id for step in steps[-1:] for one in step.results if one.call_id not in fold.masks]
    for again in ([*failed, *newest], newest, failed[-1:], ()):
        masks = _Settled(conversation, fold, whole, budget, count).masks(again)
        told = {one.call_id: fold.masks.get(one.call_id, one.text) for one in results}
        more = sum(count(text) - count(told[call_id]) for call_id, text in masks.items())
        if more <= budget.usable // PART:
            break
    return replace(fold, masks={**fold.masks, **masks}, tokens_after=fold.tokens_after + more) if masks else fold


@dataclass(frozen=True, slots=True)
class _Settled:
    """Makes the new texts of the results behind a fold."""

    conversation: Conversation
    fold: Fold
    whole: Whole
    budget: Budget
    count: Count

    def masks(self, again: Collection[str]) -> dict[str, str]:
        """New texts by call id, those in ``again`` as if each arrived now, after what precedes it with the fold."""
        made: dict[str, str] = {}
        known, seen = VisibleLines(), replace(self.fold, masks=(masks := dict(self.fold.masks)))
        for position, step in self.conversation.steps(self.fold.upto):
            before, results = _before(self.conversation, position, seen), list[ToolResult]()
            for call, result in zip(step.reply.calls, step.results, strict=True):
                text = masks.get(result.call_id, result.text)
                if ABOVE in text:
                    above = known.update(before, results)
                    now = self._again(call, result, above) if call.id in again else self._marked(result, text, above)
                    made |= {call.id: now} if now != text else {}
                    text = now
                results.append(replace(result, text=text))
            masks |= made
        return made

    def _again(self, call: ToolCall, result: ToolResult, above: VisibleLines) -> str:
        kind = kind_of(call.name, parse_arguments(call.arguments))
        return shown_output(self.whole(result), kind, self.budget.window, self.count, above).text

    def _marked(self, result: ToolResult, text: str, above: VisibleLines) -> str:
        """The text as it is when every line that it refers to stands above, else with references to folded lines."""
        whole = self.whole(result)
        now = (without_known_lines(whole, kind, above, handle_of(whole)) for kind in ("read", "shell"))
        stands = any(_among(references(text), references(one)) for one in now)
        return text if stands else text.replace(ABOVE, FOLDED)


def _among(some: Iterable[str], all_: Sequence[str]) -> bool:
    return all(one in all_ for one in some)


def _before(conversation: Conversation, position: Position, fold: Fold) -> Conversation:
    """The conversation before the step at ``position``, with ``fold`` applied."""
    turn = conversation.turns[position.turn]
    turns = (*conversation.turns[: position.turn], replace(turn, steps=turn.steps[: position.step]))
    return Conversation(turns, fold)
