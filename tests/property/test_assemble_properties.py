"""The invariants of a request, on generated sessions: within budget, summed, whole, deterministic, monotone."""

from __future__ import annotations

import os

from hypothesis import given, settings
from hypothesis import strategies as st

from ctxe.context.assemble import Frame
from ctxe.domain.conversation import Conversation, Reply, Step, ToolCall, ToolResult, Turn
from ctxe.domain.section import Chunk, Priority, Section
from tests.property.requesting import (
    RULES,
    STANDING,
    TOOLS,
    assert_request_holds,
    assert_requests_only_grow,
    filler,
)

settings.register_profile("ctxe", max_examples=int(os.environ.get("HYPOTHESIS_EXAMPLES", "400")), deadline=None)
settings.load_profile("ctxe")

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
    for name, priority in STANDING:
        chunks = tuple(Chunk(f"{name}{n}", filler(draw(sizes))) for n in range(draw(st.integers(0, 4))))
        sections.append(Section(name, priority, chunks, "system", name))
    return Frame(TOOLS, tuple(sections), "scripted/x")


@given(frames(), conversations(), st.integers(20, 2_500), st.integers(1, 800))
def test_a_request_is_within_budget_whole_and_never_loses_by_a_larger_one(
    frame: Frame, conversation: Conversation, window: int, more: int
) -> None:
    assert_request_holds(frame, conversation, window, more)


@given(frames(), conversations())
def test_a_request_starts_with_the_one_before_while_everything_fits(frame: Frame, conversation: Conversation) -> None:
    assert_requests_only_grow(frame, conversation)


def test_a_request_with_a_shortened_step_keeps_every_invariant_at_any_window() -> None:
    call = ToolCall("1", "run", "{}")
    step = Step(Reply("", (call,)), (ToolResult("1", " ".join(["word"] * 300 + ["\n"] + ["more"] * 300)),))
    memory = Section("memory", Priority.MEMORY, (Chunk("m", "remember this"),), "system", "memory")
    frame, talk = Frame(TOOLS, (RULES, memory)), Conversation((Turn("go", (), (step,)),))
    for window in range(60, 700, 7):
        assert_request_holds(frame, talk, window, 200)


def test_a_larger_window_drops_no_chunk_when_several_shares_grow_at_once() -> None:
    standing = [
        Section(name, priority, tuple(Chunk(f"{name}{n}", "word " * 40) for n in range(4)), "system", name)
        for name, priority in STANDING
    ]
    frame = Frame(TOOLS, (RULES, *standing))
    talk = Conversation(tuple(Turn(f"turn {n} " + "so " * (n % 3), (), (Step(Reply("done")),)) for n in range(60)))
    for window in range(60, 500):
        assert_request_holds(frame, talk, window, 1)
