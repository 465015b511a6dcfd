"""The user's additions survive every fold: the approved plan, and a line for each page."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ctxe.agent.state import State
from ctxe.agent.transitions import apply
from ctxe.context.headings import pages_of
from ctxe.domain.conversation import Conversation, ToolResult, Turn
from ctxe.domain.events import EpochStarted, Folded, Queued, ToolFinished, TurnStarted
from ctxe.domain.section import Chunk, Priority, Section, digest
from ctxe.project import Project
from ctxe.project.memory.recall import recall_text
from ctxe.project.memory.writer import memory_writer
from ctxe.project.window.folds import folds
from ctxe.project.window.kit import kit_for
from ctxe.project.window.sources import composer
from ctxe.project.window.web_pages import queued_sections
from tests.unit.project.reading_steps import steps

PLAN = "# Do it\n\n1. One\n2. Two"
WHOLE = "# Manual\n\nabout it\n\n## Zebras\nThey have stripes."
URL = "https://x.org/manual"
PAGE = Chunk(URL, "# Manual\n[4 lines left out]", "you asked for this page", "region", of=digest(WHOLE))


def test_queued_notes_are_split_into_pages_and_asides() -> None:
    other = Chunk("pin 1", "x", "you pinned it")
    assert queued_sections((other, PAGE)) == [
        Section("pages", Priority.INJECTED, (PAGE,), "task"),
        Section("asides", Priority.TASK, (other,), "task"),
    ]
    assert queued_sections(()) == []


def test_the_approved_plan_and_the_pages_stand_after_every_fold(tmp_path: Path) -> None:
    project = Project.open(tmp_path, {"HOME": str(tmp_path), "CTXE_MODEL": "openai/gpt-5"})
    todo = [{"text": "One", "state": "open"}]
    state = apply(State(), ToolFinished(ToolResult("c", "yes"), facts={"plan": PLAN, "todo": todo}))
    kit = kit_for(project, memory_writer(project, "now"), state=lambda: state)
    composed = composer(project, project.model, kit, "now")
    state = apply(state, Queued((PAGE,)))
    gathered = composed.gather("how do zebras look", state)
    assert [section.name for section in gathered if section.chunks] == ["pages", "surroundings"]
    state = apply(apply(state, EpochStarted(composed.standing(State()))), TurnStarted("how do zebras look", gathered))
    assert pages_of(state.conversation) == {URL: PAGE}
    again = apply(state, Queued((PAGE,)))
    told = replace(again, marks=(PAGE.digest,))
    assert all(section.name != "pages" for section in composed.gather("and?", told)), "never sent twice"
    turn = state.conversation.turns[0]
    state = replace(state, conversation=Conversation((Turn(turn.words, turn.gathered, steps(12)),)), running=True)
    folding = folds(project, composed)
    for _ in range(3):
        fold = folding.fold(state, "request")
        assert fold
        assert fold.upto.step > 0
        kept = {chunk.id: chunk.text for chunk in fold.record}
        assert kept["plan"] == f"[the plan that the user approved]\n{PLAN}"
        assert kept["todo"] == "[todo list]\n- [open] One"
        assert kept["pages"].endswith(f"`recall` with its address]\n- {URL}")
        state = apply(state, Folded(fold))
        newer = replace(state.turn, steps=(*state.turn.steps, *steps(12)))
        state = replace(state, conversation=replace(state.conversation, turns=(newer,)), standing=())
    assert recall_text(project, state, URL) == PAGE.text
    state.originals[digest(WHOLE)[:8]] = WHOLE
    assert recall_text(project, state, URL) == WHOLE
    assert recall_text(project, state, f"{URL}#zebra") == "## Zebras\nThey have stripes."
    assert recall_text(project, state, "which stripes").startswith(f"[page, recall {URL}]")
