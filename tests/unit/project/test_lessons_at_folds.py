"""Folds in a session: memory shown before is shown again, and a domain module leaves no lines in the record."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ctxe.agent.state import State
from ctxe.agent.transitions import apply
from ctxe.domain.conversation import Conversation, Position, Reply, Step, ToolCall, ToolResult, Turn
from ctxe.domain.events import EpochStarted, Folded
from ctxe.domain.section import Chunk
from ctxe.knowledge.entries.entry import Entry
from ctxe.project import Project
from ctxe.project.memory.writer import memory_writer
from ctxe.project.session.compaction import wanted_fold
from ctxe.project.window.folds import folds, lessons_before
from ctxe.project.window.kit import kit_for
from ctxe.project.window.sources import composer
from tests.unit.project.reading_steps import steps

WORDS = "why does the rounding of invoices break with floats?"


def long_turn(project: Project) -> tuple[State, Entry]:
    """A session of one long turn whose words recalled a failure."""
    entry = project.store.add(
        Entry(
            "",
            "failure",
            "Rounding of invoices breaks with floats",
            "resolved",
            session="long-ago",
            signature="ab" * 16,
            fix="use Decimal",
        )
    )
    kit = kit_for(project, memory_writer(project, "now"))
    composed = composer(project, project.model, kit, "now")
    state = apply(State(), EpochStarted(composed.standing(State())))
    turn = Turn(WORDS, composed.gather(WORDS, state), steps(12))
    return replace(state, conversation=Conversation((turn,)), running=True), entry


def test_a_fold_during_a_turn_keeps_the_entries_recalled_for_its_message(tmp_path: Path) -> None:
    project = Project.open(tmp_path, {"HOME": str(tmp_path), "CTXE_MODEL": "openai/gpt-5"})
    state, entry = long_turn(project)
    kit = kit_for(project, memory_writer(project, "now"), state=lambda: state)
    composed = composer(project, project.model, kit, "now")
    (told,) = (chunk for s in state.turn.gathered for chunk in s.chunks if chunk.id == entry.id)
    assert lessons_before(project, composed, state, Position(0, 0)) == ()
    again = (Chunk(entry.id, told.text, "told before the fold", path=told.path),)
    assert lessons_before(project, composed, state, Position(0, 5)) == again

    folding = folds(project, composed)
    for _ in range(3):
        fold = folding.fold(state, "request")
        assert fold
        assert fold.upto.step > 0
        assert fold.record[-1:] == again
        state = apply(state, Folded(fold))
        turn = replace(state.turn, steps=(*state.turn.steps, *steps(12)))
        state = replace(state, conversation=replace(state.conversation, turns=(turn,)), standing=())
    project.store.forget(entry.id)
    assert entry.id not in {c.id for c in lessons_before(project, composed, state, Position(0, 5))}


def test_no_fold_keeps_lines_of_a_skill_in_the_record(tmp_path: Path) -> None:
    project = Project.open(tmp_path, {"HOME": str(tmp_path), "CTXE_MODEL": "openai/gpt-5"})
    module = "\n".join(['<skill name="brew">', *(f"step {n} of part{n} heats kettle_{n}" for n in range(12))])
    call = ToolCall("u", "use", '{"name": "brew"}')
    loading = Step(Reply("", (call,), "tools"), (ToolResult("u", module),))
    state = State(Conversation((Turn("brew", steps=(loading, *steps(12))),)), standing=(), running=True)
    kit = kit_for(project, memory_writer(project, "now"), state=lambda: state)
    folding = folds(project, composer(project, project.model, kit, "now"))
    fold = wanted_fold(state, folding)
    assert fold
    assert fold == folding.fold(state, "request")
    kept = "\n".join(chunk.text for chunk in fold.record)
    assert "of part5 says something else" in kept
    assert "heats kettle_" not in kept


def test_an_open_failure_in_the_standing_memory_is_not_recalled_again(tmp_path: Path) -> None:
    project = Project.open(tmp_path, {"HOME": str(tmp_path), "CTXE_MODEL": "openai/gpt-5"})
    failure = Entry("", "failure", "Rounding of invoices breaks with floats", "open", session="long-ago")
    standing, later = (project.store.add(replace(failure, signature=f"{n}b" * 16)) for n in (1, 2))
    composed = composer(project, project.model, kit_for(project, memory_writer(project, "now")), "now")
    project.store.forget(later.id)
    state = apply(State(), EpochStarted(composed.standing(State())))
    later = project.store.add(
        replace(failure, title="Rounding of invoices breaks with floats too", signature="3b" * 16)
    )
    told = {chunk.id for section in composed.gather(WORDS, state) for chunk in section.chunks}
    assert standing.id in str(state.standing)
    assert (standing.id in told, later.id in told) == (False, True)
