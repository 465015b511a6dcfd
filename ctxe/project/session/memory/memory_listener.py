"""What a session writes to the project memory by itself: failures, fixes, and one line per turn in the daily log."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from ctxe.agent.state import State
from ctxe.domain.conversation import Turn
from ctxe.domain.errors import StoreError
from ctxe.domain.events import (
    Event,
    Folded,
    ModeChosen,
    Noted,
    Notice,
    Recorded,
    ReplyReceived,
    StepFinished,
    Summarized,
    ToolFinished,
    TurnFinished,
    TurnStarted,
)
from ctxe.domain.section import Chunk
from ctxe.domain.value import dataclass, field
from ctxe.knowledge.entries.daily import TurnSummary, line_of
from ctxe.knowledge.entries.entry import Entry
from ctxe.knowledge.entries.ports import MemoryPorts
from ctxe.knowledge.entries.store import Store
from ctxe.knowledge.failures import captures
from ctxe.knowledge.failures.calls import only_looks
from ctxe.knowledge.failures.pairing import Watch
from ctxe.knowledge.failures.remembered import Group, groups
from ctxe.knowledge.failures.settling import FailureNews
from ctxe.knowledge.fence import fence
from ctxe.knowledge.memory import RECALLED
from ctxe.project.session.memory.other_calls import OtherCalls
from ctxe.project.session.memory.session_gate import SessionGate

SAYS = {
    "new": "failure noted",
    "again": "failed like this before",
    "resolved": "failure resolved",
    "flaky": "flaky, not kept as a failure",
}


@dataclass(slots=True)
class MemoryListener:
    """Listens to a session's events. An unwritable memory folder is reported once and never ends a turn.

    ``take_new`` gives the entries that the model wrote since the last call; they are announced here and named in the
    daily log.
    """

    memory: MemoryPorts
    watch: Watch
    session: str
    session_gate: SessionGate
    others: OtherCalls
    take_new: Callable[[], Iterable[Entry]] = tuple
    recorded: list[str] = field(default_factory=list)
    notes: list[Chunk] = field(default_factory=list)
    reply: ReplyReceived | None = None
    warned: bool = False

    def __call__(self, event: Event, state: State) -> Iterator[Event]:
        """Write what an event teaches to memory; yields events about what was written."""
        try:
            yield from self._take_in(event, state)
        except StoreError as error:
            if not self.warned:
                self.warned = True
                yield Notice(f"memory is not written: {error.message}", "warning")

    def _take_in(self, event: Event, state: State) -> Iterator[Event]:
        """Take in one event. Raises StoreError."""
        match event:
            case ToolFinished():
                yield from map(self._announce, self.take_new())
                yield from self._take_in_call(event, state)
            case Recorded():
                self.recorded.append(f"{event.kind} {event.id}")
            case ReplyReceived():
                self.reply = event
            case StepFinished() if self.notes:
                yield Noted(tuple(self.notes))
                self.notes.clear()
            case TurnFinished() if state.conversation.turns:
                yield from self._save_rejection(event)
                self._log(event, state.turn)
            case TurnStarted():
                self._start_turn(event)
                yield from self._save_correction(event.words, state)
            case Folded():
                self.session_gate.noted.clear()
            case ModeChosen():  # a refused call may be allowed now
                self.session_gate.gate.spoken()
            case Noted(chunks) if any(chunk.path for chunk in chunks):
                self.watch.gate.changed()

    def replay(self, event: Event, state: State) -> None:
        """Replay an event of this session's log: learn from it again without an announcement."""
        if isinstance(event, TurnStarted):
            self.session_gate.gate.spoken()
        for _ in self._save_correction(event.words, state) if isinstance(event, TurnStarted) else self(event, state):
            pass

    def _take_in_call(self, event: ToolFinished, state: State) -> Iterator[Event]:
        """Take in the end of one tool call: its edits, an answer of the gate, or its failure."""
        for touch in event.result.touches:
            if touch.operation != "read":
                self.watch.edited(touch.path, event.display, self.session_gate.hashes_before.get(touch.path))
                fix = f"read {touch.path} again, then edited it"
                yield from map(self._failure_event, self.watch.settled(f"edit {touch.path}", fix))
        if "repeats" in event.facts:
            self.others.note_answered(event, state)
            self.memory.counters.bump(str(event.facts["repeats"]), self.memory.store.now(), seen=1, prevented=1)
        elif "exit_code" not in event.facts:
            yield from map(self._failure_event, self.others.take_in(event, state))
        if "exit_code" in event.facts and event.facts.get("by") != "user":
            for news in self.watch.ran(event.facts, str(len(state.conversation.turns))):
                yield self._failure_event(news)
        elif "stopped" in event.facts or not only_looks(str(event.facts.get("command") or "ls")):
            self.watch.gate.changed()

    def _save_correction(self, words: str, state: State) -> Iterator[Event]:
        """Save a correction when the user's words object to the turn before."""
        if len(state.conversation.turns) > 1:
            before = state.conversation.turns[-2]
            draft = captures.user_correction(words, dict.fromkeys(before.changed(), ""), self.session, before.answer)
            yield from map(self._failure_event, self.watch.keep(draft))

    def _save_rejection(self, event: TurnFinished) -> Iterator[Event]:
        """Save a request that the provider rejected as a failure; the next answered turn resolves it."""
        if event.outcome == "failed":
            yield from map(
                self._failure_event, self.watch.keep(captures.rejected_request(event.why, self.session), "answer")
            )
        elif event.outcome == "answered":
            yield from map(self._failure_event, self.watch.settled("answer"))

    def handle_undo(self, paths: Sequence[str]) -> None:
        """Handle an undo of changes to these files. An unwritable memory does not stop an undo."""
        with contextlib.suppress(StoreError):
            self.recorded += [
                f"failure {news.entry.id} {news.change}" for news in self.watch.taken_back(paths, "/undo")
            ]

    def handle_redo(self, forget: Callable[..., object], paths: Sequence[str]) -> None:
        """Handle a redo of changes to these files."""
        gone = [news.entry.id for news in self.watch.given_back(paths)]
        self.recorded = [line for line in self.recorded if line.split(" ")[1] not in gone]
        with contextlib.suppress(StoreError):
            _ = forget(*gone) if gone else None

    def _start_turn(self, event: TurnStarted) -> None:
        """Load the known failures, and count the memories that were recalled for these words as used."""
        self.session_gate.gate.spoken()
        held = groups(self.memory.store.entries(), self.memory.counters.read())
        self.session_gate.learn(tuple(one for one in held if not self._adds_nothing(one)))
        for section in event.gathered:
            for chunk in section.chunks if section.name == RECALLED else ():
                self.memory.counters.bump(chunk.id, self.memory.store.now(), used=1)

    def _adds_nothing(self, group: Group) -> bool:
        """Whether this session met the failure itself, and memory adds nothing to what its requests show."""
        return group.entry.session == self.session and not (group.fix or group.entry.tried)

    def _announce(self, entry: Entry) -> Recorded:
        """The event for an entry that the model wrote."""
        self.recorded.append(f"{entry.kind} {entry.id}{' proposed' if entry.status == 'proposed' else ''}")
        kind: Any = "proposal" if entry.status == "proposed" else entry.kind
        return Recorded(kind, entry.id, entry.title, entry.by, entry.path)

    def _failure_event(self, news: FailureNews) -> Recorded:
        """The event for a failure that was seen or resolved; prepares the note for a model that goes in circles."""
        entry = news.entry
        self.recorded.append(f"failure {entry.id} {news.change}")
        if news.tried:
            self.notes.append(_circle_note(entry, news.tried))
        if news.change == "again" and self.reply:
            self._count_repeat(entry.signature, self.reply)
        fix = f"; fix: {entry.fix}" if entry.fix and entry.fix not in entry.title else ""
        verb = SAYS.get(news.change, news.change) if entry.command or news.change != "new" else "noted"
        title = f"{verb}: {entry.title}{fix}"
        return Recorded("failure", entry.id, title, "ctxe", entry.path)

    def _count_repeat(self, signature: str, reply: ReplyReceived) -> None:
        """Count the cost of a step in which a known failure happened again."""
        usage = reply.reply.usage
        tokens = usage.input + usage.output if usage else 0
        self.memory.counters.bump(signature, self.memory.store.now(), repeats=1, tokens=tokens, usd=reply.usd or 0.0)

    def _log(self, event: TurnFinished, turn: Turn) -> None:
        """Write one line to the daily log; not announced, since every turn writes one."""
        outcome = event.outcome if event.outcome != "answered" else _gist(turn)
        mask = self.memory.store.mask  # the daily log is shared with everybody
        done = TurnSummary(mask(turn.words), mask(outcome), turn.changed(), event.usd, tuple(self.recorded))
        self.recorded.clear()
        self.memory.store.log(line_of(done, self.memory.store.now(), self.session))


@dataclass(frozen=True, slots=True)
class SummaryLog:
    """Writes the beginning of each summary to the daily log."""

    store: Store
    session: str

    def __call__(self, event: Event, _state: State) -> tuple[Event, ...]:
        """Take in one event; always returns nothing. Remembering reports an unwritable log."""
        if isinstance(event, Summarized):
            with contextlib.suppress(StoreError):
                done = TurnSummary(f"summary: {self.store.mask(event.text)}")
                self.store.log(line_of(done, self.store.now(), self.session))
        return ()


def _circle_note(entry: Entry, tried: Sequence[str]) -> Chunk:
    """A note for a model that keeps editing while the error stays the same."""
    listed = "\n".join(f"- {one}" for one in tried)
    text = (
        f"[ctxe: the same failure still stands after different edits. Tried in vain:]\n{fence(listed, entry.id).text}"
    )
    return Chunk(f"circle {entry.id}", text, "the same error after different edits")


def _gist(turn: Turn) -> str:
    """The first line of the answer, or "done"."""
    text = turn.steps[-1].reply.text.strip() if turn.steps else ""
    return text.splitlines()[0] if text else "done"
