"""Folds on request: preview what one would do, fold with a focus, summarise, and undo the newest fold."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ctxe.agent.state import State
from ctxe.context.calls import parse_arguments
from ctxe.domain.conversation import Conversation, Fold
from ctxe.domain.events import EpochStarted, Event, Folded, Notice, Unfolded
from ctxe.domain.ledger import Ledger
from ctxe.domain.value import dataclass, replace
from ctxe.project.window.folds import Folds

if TYPE_CHECKING:
    from ctxe.project.session.live import Live

LONGEST = 80
"""Most characters to describe a step."""


@dataclass(frozen=True, slots=True)
class Preview:
    """A fold not made yet, with the ledger of the request as it is and as it would be.

    ``did`` says what each step did, by the name of its ledger row.
    """

    fold: Fold
    before: Ledger
    after: Ledger
    did: dict[str, str]


def wanted_fold(state: State, folds: Folds, focus: str = "") -> Fold | None:
    """The fold that a person asks for; None when there is nothing to fold. ``state`` must have standing sections."""
    fold = folds.fold(state, "request", focus)
    return fold if fold is not None and (fold.record or fold.masks) else None


def preview(state: State, folds: Folds, focus: str = "") -> Preview | None:
    """What a fold would do, without making it; None when there is nothing to fold. Raises BudgetError."""
    fold = wanted_fold(state, folds, focus)
    if fold is None:
        return None
    folded = replace(state, conversation=replace(state.conversation, fold=fold), marks=(), previous_marks=state.marks)
    before, after = folds.composer.compose(state).ledger, folds.composer.compose(folded).ledger
    return Preview(fold, before, after, dict(_descriptions(state.conversation)))


def _descriptions(conversation: Conversation) -> Iterator[tuple[str, str]]:
    for position, step in conversation.steps():
        calls = [
            f"{call.name} {' '.join(parse_arguments(call.arguments).title[:1])}".strip() for call in step.reply.calls
        ]
        says = ", ".join(calls) or " ".join(step.reply.text.split())
        yield f"step {position.turn + 1}.{position.step + 1}", says[:LONGEST]
    for number, turn in enumerate(conversation.turns, start=1):
        yield f"turn {number}", " ".join(turn.words.split())[:LONGEST]


def preview_fold(live: Live, focus: str = "") -> Preview | None:
    """A preview of folding this session now; None when there is nothing to fold."""
    return preview(_with_standing(live), live.parts.folds, focus)


def compact(live: Live, focus: str = "") -> Iterator[Event]:
    """Fold now, for the user, and keep lines about the words of ``focus`` in view."""
    if (wanted := preview_fold(live, focus)) is None:
        yield Notice(nothing_to_fold(live))
        return
    if live.parts.summarizer and live.project.config.fold.summary != "checkpoint":
        yield from checkpoint(live, focus)
        wanted = preview_fold(live, focus) or wanted
    before, after = wanted.before.used, wanted.after.used
    yield from live.session.emit(Folded(replace(wanted.fold, tokens_before=before, tokens_after=after)))
    yield from live.session.emit(EpochStarted(live.composer.standing(live.session.state)))


def nothing_to_fold(live: Live) -> str:
    """Why there is nothing to fold, in words."""
    if live.session.state.conversation.fold is None:
        return "nothing to fold yet"
    return "nothing new since the last fold; /uncompact undoes it"


def checkpoint(live: Live, focus: str = "") -> Iterator[Event]:
    """Let a model summarise the session; from the next fold on the summary stands beside the record."""
    if live.parts.summarizer is None or not live.session.state.conversation.turns:
        yield Notice("nothing to sum up yet" if live.parts.summarizer else "there is no model to ask")
        return
    for event in live.parts.summarizer(live.session.state, focus):
        yield from live.session.emit(event)


def uncompact(live: Live) -> Iterator[Event]:
    """Undo the newest fold."""
    if not live.session.state.folds:
        yield Notice("nothing is folded")
        return
    yield from live.session.emit(Unfolded())


def _with_standing(live: Live) -> State:
    state = live.session.state
    if state.standing is None:
        state = replace(state, standing=live.composer.standing(state))
    return state
