"""A log read back with its costs: requests, and the summaries requested from a model beside them."""

from __future__ import annotations

from pathlib import Path

from ctxe.agent.log import Log
from ctxe.domain.conversation import Reply, ToolCall, ToolResult, Touch, Usage
from ctxe.domain.events import (
    ContextAssembled,
    Kept,
    ReplyReceived,
    StepFinished,
    Summarized,
    ToolFinished,
    TurnStarted,
)
from ctxe.domain.ledger import Ledger
from ctxe.domain.past import Consultation
from ctxe.project import Project
from ctxe.project.window.past import past

USAGE = Usage(1_000_000, 0, 400_000)
LEDGER = Ledger("openai/gpt-5", 300_000, 20_000, ())


def test_past_costs_are_read_with_and_without_a_cache(home: Path, tmp_path: Path) -> None:
    log = Log.create(tmp_path, "one", "demo", lambda: "2026-01-02T03:04:05Z")
    reply = Reply("", (ToolCall("1", "edit_file", "{}"),), usage=USAGE)
    touches = (Touch("a.py", "edit"), Touch("b.py", "read"), Touch("a.py", "read"))
    events: tuple[Kept, ...] = (
        TurnStarted("go"),
        ContextAssembled(LEDGER),
        ReplyReceived(reply, 0.8),
        ToolFinished(ToolResult("1", "done", touches=touches)),
        StepFinished(1),
        Summarized("so far", 1, "openai/gpt-5", USAGE, 0.8),
        Summarized("", 1),
        ContextAssembled(LEDGER),
    )
    for event in events:
        log.append(event)
    found = past(Project.open(tmp_path, {"HOME": str(home)}), log.path)
    assert (found.session, found.project, len(found.requests)) == ("one", "demo", 2)
    assert found.consultations == (Consultation(2, "openai/gpt-5", USAGE, 0.8, 1.25),)
    assert (found.requests[0].plain_usd, found.requests[1].plain_usd) == (1.25, None)
    assert (found.usd, found.plain_usd, found.usage) == (1.6, 2.5, Usage(2_000_000, 0, 800_000))
    assert found.changed == ("a.py",)
