"""Credits from a session's events for the memories that the model cited: helpful, harmful, archived."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ctxe.agent.state import State
from ctxe.agent.transitions import apply
from ctxe.domain.conversation import Reply, ToolCall, ToolResult
from ctxe.domain.events import Event, Recorded, ReplyReceived, StepFinished, ToolFinished, TurnFinished, TurnStarted
from ctxe.domain.section import Chunk, Priority, Section
from ctxe.knowledge.entries.entry import Entry
from ctxe.knowledge.entries.ports import MemoryPorts
from ctxe.knowledge.entries.store import Store
from ctxe.project import Project
from ctxe.project.memory import memories
from ctxe.project.session.memory.memory_credits import MemoryCredits
from ctxe.storage.counters import Counters

PASSED = {"exit_code": 0, "tests": {"passed": 3, "failures": 0}}
FAILED = {"exit_code": 1, "tests": {"passed": 2, "failures": 1}}


class Played:
    """A session in small: events go into the state and to the listener, as a session does it."""

    def __init__(self, folder: Path) -> None:
        chance = (f"{n:016x}" for n in itertools.count())
        cache = Project.open(folder, {}).own_cache
        self.store = Store(folder / ".ctxe", cache, lambda: 1_795_262_400.0, lambda _size: next(chance))
        self.counters = Counters(cache / "counters.db")
        self.memory_credits = MemoryCredits(MemoryPorts(self.store, self.counters))
        self.state = State()

    def hear(self, *events: Event) -> list[Event]:
        told: list[Event] = []
        for event in events:
            self.state = apply(self.state, event)
            told += self.memory_credits(event, self.state)
        return told

    def turn(
        self, words: str, answer: str, shown: tuple[str, ...], facts: Mapping[str, Any] | None = None
    ) -> list[Event]:
        """A turn with entries shown, one command that ended in ``facts``, and an answer."""
        listing = "\n".join(["how things are done here:", *(f"- {name} words" for name in shown[1:])])
        chunks = (Chunk(shown[0], "words"), Chunk("playbook", listing))
        section = Section("recalled", Priority.MEMORY, chunks, "task", "memory")
        told = self.hear(TurnStarted(words, (section,)))
        if facts is not None:
            told += self.hear(
                ReplyReceived(Reply("", (ToolCall("1", "run_command", "{}"),), "tools")),
                ToolFinished(ToolResult("1", ""), "run_command", facts=facts),
                StepFinished(1),
            )
        return told + self.hear(ReplyReceived(Reply(answer)), StepFinished(2), TurnFinished("answered"))

    def numbers(self, name: str) -> tuple[float, float]:
        held = self.counters.read([name]).get(name, {})
        return held.get("helpful", 0.0), held.get("harmful", 0.0)


def test_cited_entries_are_credited_when_tests_pass_and_blamed_when_the_user_objects(tmp_path: Path) -> None:
    played = Played(tmp_path)
    one, two = (played.store.add(Entry("", "routine", title)).id for title in ("Run ruff first", "Restart twice"))
    assert played.turn("fix it", f"Done as {one} says.", (one, two), PASSED) == []
    assert (played.numbers(one), played.numbers(two)) == ((1, 0), (0, 0))
    played.turn("and this", f"Followed {one} and {two}.", (one, two), FAILED)
    assert (played.numbers(one), played.numbers(two)) == ((1, 0), (0, 0))
    played.turn("no, that's wrong", "Sorry.", (one, two))
    assert (played.numbers(one), played.numbers(two)) == ((1, 1), (0, 1))
    played.turn("nope, still not", f"I know {one}.", (two, two))
    assert (played.numbers(one), played.numbers(two)) == ((1, 1), (0, 1))


def test_a_test_run_by_the_user_credits_no_entry(tmp_path: Path) -> None:
    played = Played(tmp_path)
    one = played.store.add(Entry("", "routine", "Run ruff first")).id
    played.turn("fix it", f"As {one}.", (one,), {**PASSED, "by": "user"})
    assert played.numbers(one) == (0, 0)


def test_cited_entries_are_counted_in_the_statistics(tmp_path: Path) -> None:
    played = Played(tmp_path)
    one, two = (played.store.add(Entry("", "routine", title)) for title in ("Restart twice", "Run ruff first"))
    played.turn("fix it", f"By {two.id}.", (one.id, two.id), PASSED)
    played.turn("again", f"By {one.id}.", (one.id, two.id))
    played.turn("no, undo that", "Done.", (one.id,))
    assert memories.statistics(Project.open(tmp_path, {}))["judged"] == [
        {"id": two.id, "title": "Run ruff first", "helpful": 1, "harmful": 0},
        {"id": one.id, "title": "Restart twice", "helpful": 0, "harmful": 1},
    ]


def test_undone_turns_archive_an_entry_that_misled_three_times_and_report_it(tmp_path: Path) -> None:
    played = Played(tmp_path)
    one = played.store.add(Entry("", "routine", "Restart twice"))
    for _ in range(3):
        played.turn("go on", f"By {one.id}.", (one.id,))
    assert list(played.memory_credits.discredit_turn(1)) == []
    assert list(played.memory_credits.discredit_turn(1)) == []
    assert list(played.memory_credits.discredit_turn(2)) == []
    assert list(played.memory_credits.discredit_turn(3)) == [
        Recorded("routine", one.id, "contradicted 3 times, archived: Restart twice", "ctxe", one.path)
    ]
    assert played.store.get(one.id).status == "archived"
