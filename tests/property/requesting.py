"""The invariants of every assembled request, and parts of requests generated from a seed."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from ctxe.context.assemble import Assembled, Frame, assemble
from ctxe.context.budget import Budget
from ctxe.domain.conversation import Conversation, ToolCall, ToolResult
from ctxe.domain.errors import BudgetError
from ctxe.domain.model import Message, ToolSchema
from ctxe.domain.section import Chunk, Priority, Section, ShareName
from tests.support.counting import count_words

TOOLS = (ToolSchema("read", "Read.", {"type": "object"}), ToolSchema("run", "Run.", {"type": "object"}))
RULES = Section("rules", Priority.SYSTEM, (Chunk("rules", "be right and brief"),), "system")
STANDING: tuple[tuple[ShareName, Priority], ...] = (
    ("memory", Priority.MEMORY),
    ("instructions", Priority.INJECTED),
    ("skills", Priority.INJECTED),
)


def filler(size: int) -> str:
    return "\n".join(f"w{n}" for n in range(size))


def framed(dice: Random) -> Frame:
    """Tools, rules, and up to four chunks of each standing section."""
    sections = [RULES]
    for name, priority in STANDING:
        chunks = tuple(Chunk(f"{name}{n}", filler(dice.randint(0, 30))) for n in range(dice.randint(0, 4)))
        sections.append(Section(name, priority, chunks, "system", name))
    return Frame(TOOLS, tuple(sections), "scripted/x")


def gathered(talk: Conversation, dice: Random) -> Conversation:
    """The same with files gathered for every turn, and something told after some of the steps."""
    turns = []
    for t, turn in enumerate(talk.turns):
        chunks = tuple(Chunk(f"f{t}{n}", filler(dice.randint(0, 30))) for n in range(dice.randint(0, 3)))
        files = (Section("files", Priority.INJECTED, chunks, "task", "files"),) if chunks else ()
        notes = [(Chunk("note", filler(dice.randint(0, 20))),) if dice.random() < 0.2 else () for _ in turn.steps]
        steps = tuple(replace(step, notes=note) for step, note in zip(turn.steps, notes, strict=True))
        turns.append(replace(turn, gathered=files, steps=steps))
    return replace(talk, turns=tuple(turns))


def tried(frame: Frame, conversation: Conversation, window: int) -> Assembled | None:
    """A request, or None where the required parts cannot fit."""
    try:
        return assemble(frame, conversation, Budget(window, 0), count_words)
    except BudgetError:
        return None


def assert_request_holds(frame: Frame, talk: Conversation, window: int, more: int) -> None:
    """Within budget, summed, whole, deterministic; ``more`` tokens take nothing away."""
    done, larger = tried(frame, talk, window), tried(frame, talk, window + more)
    assert done == tried(frame, talk, window)
    if done is None:
        return
    assert larger is not None
    assert_within_budget_summed_and_whole(done, talk, window)
    assert_calls_are_answered_at_once(done.request.messages)
    kept = {(r.section, r.chunk) for r in done.ledger.rows if r.given and r.chunk not in ("(gap)", "(heading)")}
    assert kept <= {(row.section, row.chunk) for row in larger.ledger.rows if row.given}


def assert_within_budget_summed_and_whole(done: Assembled, talk: Conversation, window: int) -> None:
    """At most the window, the sum of the rows, with rules, tools, the running words and the newest step."""
    assert done.ledger.used <= window
    assert done.ledger.used == sum(row.given for row in done.ledger.rows)
    sent = {row.chunk for row in done.ledger.rows if row.given}
    assert {"read", "run", "rules", f"turn {len(talk.turns)}"} <= sent
    if newest := talk.turns[-1].steps:
        assert f"step {len(talk.turns)}.{len(newest)}" in sent


def assert_calls_are_answered_at_once(messages: tuple[Message, ...]) -> None:
    """The user speaks first; each call has its result in the very next message, in the same order."""
    assert messages[0].role == "user"
    for n, message in enumerate(messages):
        calls = [block.id for block in message.blocks if isinstance(block, ToolCall)]
        after = messages[n + 1].blocks if n + 1 < len(messages) else ()
        results = [block.call_id for block in after if isinstance(block, ToolResult)]
        assert calls == (results if message.role == "assistant" else [])


def assert_requests_only_grow(frame: Frame, talk: Conversation) -> None:
    """Where everything fits, each request of the newest turn starts with the one before."""
    *before, last = talk.turns
    held: tuple[str, ...] = ()
    for n in range(len(last.steps) + 1):
        grown = Conversation((*before, replace(last, steps=last.steps[:n])))
        done = assemble(frame, grown, Budget(1_000_000, 0), count_words, held)
        assert done.ledger.broke == ""
        assert done.marks[: len(held)] == held
        held = done.marks
