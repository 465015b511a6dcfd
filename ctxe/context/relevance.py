"""Lines of a long output that matter to the work: those near a name that the user wrote or the model used lately."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from ctxe.context.lines import names_in
from ctxe.context.nearness import AROUND
from ctxe.domain.conversation import Conversation, Reply

LATELY = 12
"""Newest steps whose calls count as current work."""

FEW = 4
"""Most lines on which a name may occur and still mark a place in a text."""


def names_at_work(conversation: Conversation, reply: Reply | None) -> frozenset[str]:
    """Paths and identifiers in the user's words, the newest steps' calls, and ``reply``, which is being answered."""
    replies = [step.reply for _, step in conversation.steps()][-LATELY:]
    texts = [turn.words for turn in conversation.turns]
    texts += [call.arguments for one in (*replies, *([reply] if reply else ())) for call in one.calls]
    texts += [reply.text] if reply else []
    return frozenset(name for text in texts for name in names_in(text))


def relevance(at_work: Callable[[], Collection[str]]) -> Callable[[Sequence[str]], list[float]]:
    """A scorer for lines: 1 on a line with a name at work, less on the lines around it, 0 elsewhere.

    ``at_work`` is called only when a text has to be cut.
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
