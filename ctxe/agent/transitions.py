"""The state of a session after each event, as a pure function of what its log holds."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ctxe.agent.state import State
from ctxe.domain.conversation import Outcome, Reply, Step, ToolResult, Turn, Usage
from ctxe.domain.events import (
    Consulted,
    ContextAssembled,
    EffortChosen,
    EpochStarted,
    Event,
    FileChosen,
    Folded,
    Kept,
    ModeChosen,
    ModelChosen,
    Noted,
    Pinned,
    Queued,
    ReplyReceived,
    StepFinished,
    Summarized,
    ToolFinished,
    ToolStarted,
    TurnFinished,
    TurnStarted,
    Unfolded,
)
from ctxe.domain.section import Chunk
from ctxe.domain.value import replace

NO_RESULT = "interrupted: this call has no result; it may or may not have had effects"
CUT_OFF = "answer, and was stopped before a word came"
NOT_RUN = "interrupted before this call was run; nothing was done"


def apply(state: State, event: Event) -> State:
    """The state after an event."""
    match event:
        case ModelChosen() | EffortChosen() | ModeChosen():
            return _chosen(state, event)
        case EpochStarted(sections):
            return replace(state, standing=sections, since=state.end)
        case TurnStarted(words, gathered):
            return state.with_new_turn(words, gathered)
        case ContextAssembled(ledger):
            marks = tuple(row.digest for row in ledger.rows if row.given)
            return replace(state, ledger=ledger, marks=marks, previous_marks=(), folded_size=0)
        case ReplyReceived(reply, usd):
            return _replied(state, reply, usd)
        case ToolStarted(call_id):
            return replace(state, started=(*state.started, call_id))
        case ToolFinished():
            return _with_result(state, event)
        case StepFinished():
            return _joined(state)
        case Noted(chunks):
            return _noted(state, chunks)
        case Folded() | Unfolded():
            return _refolded(state, event)
        case Summarized() | Consulted():
            return _paid(state, event)
        case Pinned(text, pinned):
            kept = tuple(pin for pin in state.pins if pin != text)
            return replace(state, pins=(*kept, text) if pinned else kept)
        case FileChosen(path, choice):
            others = tuple(one for one in state.files if one[0] != path)
            return replace(state, files=(*others, (path, choice)))
        case Queued(chunks):
            return replace(state, queued=state.queued + chunks)
        case TurnFinished(outcome):
            return _ended(state, outcome)
        case _:
            return state


def rebuild(events: Iterable[Event]) -> State:
    """The state after all events of a log."""
    state = State()
    for event in events:
        state = apply(state, event)
    return state


def closing_events(
    state: State, outcome: Outcome, why: str = "", said: str = "", usage: Usage | None = None, usd: float | None = None
) -> list[Kept]:
    """Events that end an unfinished turn: every call without a result gets one, the step is joined, the turn ends.

    ``said`` is the text of an answer that was cut off; it is kept as an interrupted reply. ``usage`` and ``usd`` are
    its cost, with text or without.
    """
    if not state.running:
        return []
    events: list[Kept] = []
    if state.pending is None and said.strip():
        events += [
            ReplyReceived(Reply(said, stop="interrupted", usage=usage, model=state.model), usd),
            StepFinished(len(state.turn.steps) + 1),
        ]
    elif state.pending is None and usage:
        events.append(Consulted(CUT_OFF, state.model, usage, usd))
    if state.pending is not None:
        from ctxe.context.calls import call_title

        answered = {result.call_id for result in state.results}
        missing = [call for call in state.pending.calls if call.id not in answered]
        said_of = {call.id: NO_RESULT if call.id in state.started else NOT_RUN for call in missing}
        events += [
            ToolFinished(ToolResult(call.id, said_of[call.id], ok=False), call.name, call_title(call))
            for call in missing
        ]
        events.append(StepFinished(len(state.turn.steps) + 1))
    events.append(TurnFinished(outcome, why=why))
    return events


def _chosen(state: State, event: ModelChosen | EffortChosen | ModeChosen) -> State:
    """Another model begins an epoch; another effort or mode does not, since the request begins with the same bytes."""
    if isinstance(event, ModeChosen):
        return replace(state, mode=event.mode)
    if isinstance(event, EffortChosen):
        return replace(state, effort=event.effort)
    return replace(state, model=event.model, standing=None, marks=(), previous_marks=())


def _replied(state: State, reply: Reply, usd: float | None) -> State:
    state = _joined(state)
    usage = state.usage + (reply.usage or Usage())
    return replace(state, pending=reply, results=(), started=(), usage=usage, usd=state.usd + (usd or 0.0))


def _paid(state: State, event: Summarized | Consulted) -> State:
    """A model consulted beside the conversation costs as much as a reply."""
    summary = event if isinstance(event, Summarized) else state.summary
    usage = state.usage + (event.usage or Usage())
    return replace(state, summary=summary, usage=usage, usd=state.usd + (event.usd or 0.0))


def _with_result(state: State, event: ToolFinished) -> State:
    """The state with one more result; a todo list of which everything is done ends the plan."""
    result = event.result
    if event.full and result.handle:
        state.originals[result.handle] = event.full
    todo = _listed(event.facts.get("todo"), state.todo)
    plan = str(event.facts.get("plan", state.plan))
    done = bool(todo) and all(status == "done" for _, status in todo)
    return replace(state, results=(*state.results, result), todo=todo, plan="" if done else plan)


def _listed(items: Any, before: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    """The todo list of a result; ``before`` where the result has none, or a damaged log has something else."""
    try:
        return tuple((str(one["text"]), str(one["state"])) for one in items)
    except (TypeError, KeyError):
        return before


def _joined(state: State) -> State:
    """The pending reply and its results become a step; a result that a damaged log has lost is marked as missing."""
    if state.pending is None or not state.conversation.turns:
        return replace(state, pending=None, results=())
    by_id = {result.call_id: result for result in state.results}
    lost = (ToolResult(call.id, NO_RESULT, ok=False) for call in state.pending.calls)
    step = Step(state.pending, tuple(by_id.get(missing.call_id, missing) for missing in lost))
    turn = replace(state.turn, steps=(*state.turn.steps, step))
    return replace(_with_turn(state, turn), pending=None, results=())


def _noted(state: State, chunks: tuple[Chunk, ...]) -> State:
    if not state.conversation.turns or not state.turn.steps:
        return state
    *before, last = state.turn.steps
    step = replace(last, notes=last.notes + chunks)
    return _with_turn(state, replace(state.turn, steps=(*before, step)))


def _ended(state: State, outcome: Outcome) -> State:
    if not state.conversation.turns:
        return state
    return replace(_with_turn(state, replace(state.turn, outcome=outcome)), running=False, pending=None, results=())


def _with_turn(state: State, turn: Turn) -> State:
    turns = (*state.conversation.turns[:-1], turn)
    return replace(state, conversation=replace(state.conversation, turns=turns))


def _refolded(state: State, event: Folded | Unfolded) -> State:
    """A fold is put on top of the one before, a taken-back fold uncovers it; both begin an epoch."""
    fold, folds = (state.folds[-1], state.folds[:-1]) if state.folds else (None, ())
    if isinstance(event, Folded):
        fold, folds = event.fold, (*state.folds, state.conversation.fold)
    conversation = replace(state.conversation, fold=fold)
    state = replace(state, conversation=conversation, folds=folds, standing=None)
    size = event.fold.tokens_after if isinstance(event, Folded) else 0
    return replace(state, marks=(), previous_marks=state.marks or state.previous_marks, folded_size=size)
