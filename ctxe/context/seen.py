"""What stands in the request already, line by line, so that it is not sent again.

Lines are known by what they say (their core), wherever they stand and whatever number or indentation they have.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from ctxe.context.calls import taken_apart
from ctxe.context.lines import core_of
from ctxe.domain.conversation import Conversation, Position

RUN = 4
"""Lines in a row from which on a repetition is told and not shown: a marker costs about as much as three lines."""

RUN_CHARS = 100
"""Characters that such a run has at least."""


def standing(conversation: Conversation) -> frozenset[str]:
    """The cores of all lines that the model has before it: the record, and steps after the fold as they were told."""
    return frozenset(core_of(line) for text in _texts(conversation) for line in text.splitlines())


def _texts(conversation: Conversation) -> Iterator[str]:
    fold = conversation.fold
    upto = fold.upto if fold else Position()
    yield from (chunk.text for chunk in fold.record) if fold else ()
    for position, step in conversation.steps():
        if (position.turn, position.step) >= (upto.turn, upto.step):
            yield step.reply.text
            yield from (text for call in step.reply.calls for text in taken_apart(call.arguments).texts)
            yield from (fold.masks.get(r.call_id, r.text) if fold else r.text for r in step.results)
            yield from (note.text for note in step.notes)


def unrepeated(text: str, known: Collection[str], handle: str) -> str:
    """A text whose longer runs of ``known`` lines are told as a number; ``handle`` brings the whole back."""
    told: list[str] = []
    run: list[str] = []
    for line in text.split("\n"):
        if core_of(line) in known:
            run.append(line)
            continue
        told += _told(run, handle)
        told.append(line)
        run = []
    return "\n".join([*told, *_told(run, handle)])


def _told(run: list[str], handle: str) -> list[str]:
    """A run of known lines, or what stands for it."""
    if len(run) < RUN or sum(len(line.strip()) for line in run) < RUN_CHARS:
        return run
    return [f"[{len(run)} lines as they stand above; recall {handle}]"]
