"""Requests are read back from a log with what each was for, what it cost, and the exact text of every row."""

from __future__ import annotations

from ctxe.agent.requests import requests, texts
from ctxe.agent.state import State
from ctxe.agent.transitions import apply
from ctxe.context.assemble import Frame, assemble
from ctxe.context.budget import Budget
from ctxe.domain.conversation import Fold, Position, Reply, ToolCall, ToolResult, Usage
from ctxe.domain.events import (
    ContextAssembled,
    EpochStarted,
    Folded,
    Kept,
    ModelChosen,
    Noted,
    ReplyReceived,
    StepFinished,
    ToolFinished,
    TurnFinished,
    TurnStarted,
    Unfolded,
)
from ctxe.domain.ledger import Ledger
from ctxe.domain.model import ToolSchema
from ctxe.domain.past import SentRequest
from ctxe.domain.section import Chunk, Priority, Section

RULES = Section("rules", Priority.SYSTEM, (Chunk("rules", "Be exact."),), "system")
FILES = Section("files", Priority.INJECTED, (Chunk("a.py", "a = 1", path="a.py"),), "task", "files")
TOOL = ToolSchema("read_file", "Reads.", {"type": "object"})
USAGE = Usage(100, 5, 60)
CALL = Reply("I look.", (ToolCall("1", "read_file", '{"path": "a.py"}'),), usage=USAGE, carry="[]", model="m")
LEDGER = Ledger("m", 1_000, 100, ())


def sent(events: list[Kept]) -> list[SentRequest]:
    return [one for one, _ in requests((f"t{n}", event) for n, event in enumerate(events))]


def test_each_request_has_its_reply_its_money_and_what_it_was_for() -> None:
    again, folded = Ledger("m", 2_000, 100, ()), Fold(Position(0, 1), cause="price")
    found = sent(
        [
            ModelChosen("m"),
            EpochStarted((RULES,)),
            TurnStarted("go"),
            ContextAssembled(LEDGER),
            ReplyReceived(CALL, 0.5, 2.0),
            ToolFinished(ToolResult("1", "a = 1")),
            StepFinished(1),
            Folded(folded),
            EpochStarted((RULES,)),
            ContextAssembled(again),
            ContextAssembled(again),
            ReplyReceived(Reply("done")),
        ]
    )
    priced = Ledger("m", 1_000, 100, (), usage=USAGE, usd=0.5)
    assert found == [
        SentRequest(1, 1, 1, priced, "t3", "go", reply=CALL, seconds=2.0),
        SentRequest(2, 1, 2, again, "t9", "go", "folded: price", folded),
        SentRequest(3, 1, 2, again, "t10", "go", reply=Reply("done")),
    ]


def test_a_new_model_and_a_fold_taken_back_begin_epochs() -> None:
    found = sent(
        [
            TurnStarted("go"),
            ContextAssembled(LEDGER),
            Unfolded(),
            ContextAssembled(LEDGER),
            ModelChosen("x/y"),
            ContextAssembled(LEDGER),
        ]
    )
    assert [one.epoch_cause for one in found] == ["", "the newest fold was taken back", "the model is x/y from here on"]


def test_the_text_of_every_row_is_found_by_its_hash() -> None:
    state = State()
    events: list[Kept] = [
        EpochStarted((RULES,)),
        TurnStarted("go", (FILES,)),
        ReplyReceived(CALL),
        ToolFinished(ToolResult("1", "a = 1")),
        StepFinished(1),
        Noted((Chunk("n", "[changed]"),)),
        TurnFinished("answered"),
        Folded(Fold(Position(0, 0), masks={"1": "[masked]"})),
        EpochStarted((RULES,)),
        TurnStarted("on"),
    ]
    for event in events:
        state = apply(state, event)
    frame = Frame((TOOL,), (RULES,))
    ledger = assemble(frame, state.conversation, Budget(8_000, 1_000), len).ledger
    found = texts(ledger, state, (TOOL,))
    assert [said for row in ledger.rows for said in found[row.digest]] == [
        ("tool", 'read_file\nReads.\n{\n  "type": "object"\n}'),
        ("system", "Be exact."),
        ("user", "# files"),
        ("user", "a = 1"),
        ("user", "go"),
        ("carry", "[]"),
        ("assistant", "I look."),
        ("call", 'read_file {"path": "a.py"}'),
        ("result", "[masked]"),
        ("user", "[changed]"),
        ("user", "on"),
    ]
    assert texts(ledger, state, (TOOL,), found) == {}
    assert ledger.rows[0].digest not in texts(ledger, state, (ToolSchema("read_file", "Other.", {}),))
