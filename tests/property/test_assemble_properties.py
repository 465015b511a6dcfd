"""The invariants of a request, on generated sessions: within budget, summed, whole, deterministic, monotone."""

from __future__ import annotations

import os

from hypothesis import given, settings
from hypothesis import strategies as st

from ctxe.context.assemble import Assembled, Frame, assemble
from ctxe.context.budget import Budget
from ctxe.domain.conversation import Conversation, Reply, Step, ToolCall, ToolResult, Turn
from ctxe.domain.errors import BudgetError
from ctxe.domain.model import ToolSchema
from ctxe.domain.section import Chunk, Priority, Section

settings.register_profile("ctxe", max_examples=int(os.environ.get("HYPOTHESIS_EXAMPLES", "400")), deadline=None)
settings.load_profile("ctxe")

TOOLS = (ToolSchema("read", "Read.", {"type": "object"}), ToolSchema("run", "Run.", {"type": "object"}))
RULES = Section("rules", Priority.SYSTEM, (Chunk("rules", "be right and brief"),), "system")


def words(text: str) -> int:
    return len(text.split())


def filler(size: int) -> str:
    return "\n".join(f"w{n}" for n in range(size))


sizes = st.integers(0, 60)


@st.composite
def steps(draw: st.DrawFn, number: int) -> Step:
    calls = tuple(ToolCall(f"{number}-{n}", "run", filler(draw(sizes))) for n in range(draw(st.integers(0, 3))))
    results = tuple(ToolResult(call.id, filler(draw(sizes))) for call in calls)
    notes = tuple(Chunk(f"n{number}", filler(draw(sizes))) for _ in range(draw(st.integers(0, 1))))
    return Step(Reply(filler(draw(sizes)), calls), results, notes)


@st.composite
def conversations(draw: st.DrawFn) -> Conversation:
    turns = []
    for t in range(draw(st.integers(1, 4))):
        chunks = tuple(Chunk(f"f{t}{n}", filler(draw(sizes))) for n in range(draw(st.integers(0, 3))))
        files = (Section("files", Priority.INJECTED, chunks, "task", "files"),) if chunks else ()
        inner = tuple(draw(steps(t * 100 + s)) for s in range(draw(st.integers(0, 5))))
        turns.append(Turn(f"task {t} " + filler(draw(sizes)), files, inner))
    return Conversation(tuple(turns))


@st.composite
def frames(draw: st.DrawFn) -> Frame:
    sections = [RULES]
    for name, priority in (
        ("memory", Priority.MEMORY),
        ("instructions", Priority.INJECTED),
        ("skills", Priority.INJECTED),
    ):
        chunks = tuple(Chunk(f"{name}{n}", filler(draw(sizes))) for n in range(draw(st.integers(0, 4))))
        sections.append(Section(name, priority, chunks, "system", name))  # type: ignore[arg-type]
    return Frame(TOOLS, tuple(sections), "scripted/x")


def tried(frame: Frame, conversation: Conversation, window: int) -> Assembled | None:
    try:
        return assemble(frame, conversation, Budget(window, 0), words)
    except BudgetError:
        return None


windows = st.integers(20, 2_500)


@given(frames(), conversations(), windows)
def test_never_over_budget_rows_sum_and_required_parts_stand(
    frame: Frame, conversation: Conversation, window: int
) -> None:
    done = tried(frame, conversation, window)
    if done is None:
        return
    assert done.ledger.used <= window
    assert done.ledger.used == sum(row.given for row in done.ledger.rows)
    sent = {row.chunk for row in done.ledger.rows if row.given}
    assert {"read", "run", "rules", f"turn {len(conversation.turns)}"} <= sent
    if newest := conversation.turns[-1].steps:
        assert f"step {len(conversation.turns)}.{len(newest)}" in sent


@given(frames(), conversations(), windows)
def test_every_call_is_followed_at_once_by_its_results(frame: Frame, conversation: Conversation, window: int) -> None:
    done = tried(frame, conversation, window)
    if done is None:
        return
    messages = done.request.messages
    assert messages[0].role == "user"
    for n, message in enumerate(messages):
        calls = [block.id for block in message.blocks if isinstance(block, ToolCall)]
        after = messages[n + 1].blocks if n + 1 < len(messages) else ()
        results = [block.call_id for block in after if isinstance(block, ToolResult)]
        if message.role == "assistant":
            assert calls == results
        else:
            assert not calls


@given(frames(), conversations(), windows, st.integers(1, 800))
def test_a_larger_budget_never_removes_a_chunk(
    frame: Frame, conversation: Conversation, window: int, more: int
) -> None:
    small, large = tried(frame, conversation, window), tried(frame, conversation, window + more)
    if small is None:
        return
    assert large is not None
    kept = {
        (row.section, row.chunk) for row in small.ledger.rows if row.given and row.chunk not in ("(gap)", "(heading)")
    }
    assert kept <= {(row.section, row.chunk) for row in large.ledger.rows if row.given}


@given(frames(), conversations(), windows)
def test_same_inputs_same_bytes(frame: Frame, conversation: Conversation, window: int) -> None:
    assert tried(frame, conversation, window) == tried(frame, conversation, window)


@given(frames(), conversations())
def test_a_request_starts_with_the_one_before_while_everything_fits(frame: Frame, conversation: Conversation) -> None:
    *before, last = conversation.turns
    held: tuple[str, ...] = ()
    for n in range(len(last.steps) + 1):
        grown = Conversation((*before, Turn(last.words, last.gathered, last.steps[:n])))
        done = assemble(frame, grown, Budget(100_000, 0), words, held)
        assert done.ledger.broke == ""
        assert done.marks[: len(held)] == held
        held = done.marks
