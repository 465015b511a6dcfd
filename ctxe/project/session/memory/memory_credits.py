"""Counts the memories that the model used as helpful or harmful, by what happened next."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, cast

from ctxe.agent.state import State
from ctxe.domain.errors import StoreError
from ctxe.domain.events import Event, Recorded, ToolFinished, TurnFinished, TurnStarted
from ctxe.domain.section import Section
from ctxe.domain.value import dataclass, field
from ctxe.knowledge.corrections import is_correction
from ctxe.knowledge.entries.ports import MemoryPorts
from ctxe.knowledge.upkeep import playbook

REMEMBERED = 8
"""Turns whose citations are kept, so that undoing a turn can be counted against the memories it cited."""


@dataclass(slots=True)
class MemoryCredits:
    """Listens to a session's events. Only ids that were shown count as cited; a turn credits each of them once."""

    memory: MemoryPorts
    tests_passed: bool = False
    cited: dict[int, tuple[str, ...]] = field(default_factory=dict)
    discredited: set[int] = field(default_factory=set)

    def __call__(self, event: Event, state: State) -> Iterator[Event]:
        """Credit the cited entries by this event; yields events for entries that are archived because of it."""
        if isinstance(event, TurnStarted):
            self.tests_passed = False
            before = state.conversation.turns[-2:-1]
            if is_correction(event.words, before[0].answer if before else ""):
                yield from self.discredit_turn(len(state.conversation.turns) - 1)
        elif isinstance(event, ToolFinished):
            self._note_tests(event)
        elif isinstance(event, TurnFinished) and state.conversation.turns:
            self._credit_turn(event, state)

    def discredit_turn(self, turn: int) -> Iterator[Event]:
        """Count the citations of turn ``turn`` (from 1) as harmful, once: the user took back what it did."""
        ids = () if turn in self.discredited else self.cited.get(turn, ())
        self.discredited.add(turn)
        playbook.credit(self.memory.counters, ids, self.memory.store.now(), helped=False)
        try:
            for entry in playbook.retire(self.memory.store, self.memory.counters, ids):
                reason = f"contradicted {playbook.CONTRADICTED} times, archived: {entry.title}"
                yield Recorded(cast("Any", entry.kind), entry.id, reason, "ctxe", entry.path)
        except StoreError:
            return

    def _note_tests(self, event: ToolFinished) -> None:
        tests = event.facts.get("tests")
        if isinstance(tests, dict) and event.facts.get("by") != "user":
            self.tests_passed = (
                event.facts.get("exit_code") == 0 and not tests.get("failures") and bool(tests.get("passed"))
            )

    def _credit_turn(self, event: TurnFinished, state: State) -> None:
        """Note which shown memories the turn cited; count them as helpful if its tests passed."""
        number, turn = len(state.conversation.turns), state.turn
        text = "\n".join(f"{s.reply.text}\n{' '.join(c.arguments for c in s.reply.calls)}" for s in turn.steps)
        ids = playbook.cited_ids(text, _shown_ids([*_standing(state), *turn.gathered]))
        self.cited[number] = ids
        self.cited.pop(number - REMEMBERED, None)
        if self.tests_passed and event.outcome == "answered":
            playbook.credit(self.memory.counters, ids, self.memory.store.now(), helped=True)


def _standing(state: State) -> tuple[Section, ...]:
    return tuple(state.standing) if state.standing else ()


def _shown_ids(sections: list[Section]) -> list[str]:
    """Ids of the entries in memory sections."""
    found = []
    for section in sections:
        if section.share == "memory":
            for chunk in section.chunks:
                found += [chunk.id, *re.findall(r"^- (\S+) ", chunk.text, re.MULTILINE)]
    return found
