"""What of a long output bears on the work: lines near a name that the user wrote or the model worked with lately."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from ctxe.context.lines import names_in
from ctxe.context.nearness import AROUND
from ctxe.domain.conversation import Conversation, Reply

LATELY = 12
"""Steps whose calls say what the model works with."""

FEW = 4
"""How often a text may have a name that tells a place in it."""


def names_at_work(conversation: Conversation, reply: Reply | None) -> frozenset[str]:
    """Paths and identifiers in the user's words, the newest steps' calls and the reply being answered."""
    replies = [step.reply for _, step in conversation.steps()][-LATELY:]
    texts = [turn.words for turn in conversation.turns]
    texts += [call.arguments for one in (*replies, *([reply] if reply else ())) for call in one.calls]
    texts += [reply.text] if reply else []
    return frozenset(name for text in texts for name in names_in(text))


def relevance(at_work: Callable[[], Collection[str]]) -> Callable[[Sequence[str]], list[float]]:
    """How near each line of a text is to a name at work: 1 where it has one, less around it, 0 elsewhere.

    ``at_work`` is asked only when a text has to be cut.
    """

    def near(lines: Sequence[str]) -> list[float]:
        wanted = at_work()
        places: dict[str, list[int]] = {}
        for place, line in enumerate(lines):
            for name in names_in(line):
                if name in wanted:
                    places.setdefault(name, []).append(place)
        marks = [0.0] * len(lines)
        for place in {place for found in places.values() if len(found) <= FEW for place in found}:
            for other in range(max(0, place - AROUND), min(len(lines), place + AROUND + 1)):
                marks[other] = max(marks[other], 1 - abs(other - place) / (2 * AROUND + 1))
        return marks

    return near
