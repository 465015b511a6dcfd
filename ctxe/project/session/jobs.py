"""Jobs of a session: what the model is told of them without asking, and which ended with the session they ran in."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from functools import partial
from typing import Any

from ctxe.agent.dispatch import Dispatcher
from ctxe.agent.state import State
from ctxe.domain.conversation import Fold, ToolCall
from ctxe.domain.events import Event, Noted, Queued, ToolFinished
from ctxe.domain.model import ToolSchema
from ctxe.domain.section import Chunk
from ctxe.domain.tool import Action, Risk, Tool
from ctxe.domain.value import dataclass, field
from ctxe.project.session.calls import automatic_dispatcher
from ctxe.safety.display import one_line
from ctxe.tools.jobs import LONGEST_COMMAND, Job, Jobs
from ctxe.tools.use_job import end_action

GONE = "gone job "
"""Start of the id of a chunk that says: a job ended together with its session."""
RUNS = "running job "
"""Start of the id of a chunk that says: a job is running."""
_READS = "`; `use` job/"
LONGEST_NUMBER = 10


@dataclass(slots=True)
class JobNotes:
    """Tells the model once that a job ended, and which jobs are running.

    After a fold it lists every running job; at other times only those the model does not know of, since the user
    interrupted the call that started them. ``runs`` gives the dispatcher.
    """

    jobs: Jobs
    runs: Callable[[], Dispatcher]
    fold: Fold | None = None

    def between_steps(self, state: State) -> Iterator[Event]:
        """Notes for the model between two steps."""
        if not (state.conversation.turns and state.turn.steps):
            return
        chunks = yield from self._ended_jobs()
        folded, self.fold = state.conversation.fold is not self.fold, state.conversation.fold
        chunks += self._running_notes(every=folded and self.fold is not None)
        if chunks:
            yield Noted(tuple(chunks))

    def before_words(self) -> Iterator[Event]:
        """Chunks for the user's next words."""
        chunks = yield from self._ended_jobs()
        if chunks := [*chunks, *self._running_notes()]:
            yield Queued(tuple(chunks))

    def _ended_jobs(self) -> Generator[Event, None, list[Chunk]]:
        """Chunks for jobs that ended; each end is shown, logged and remembered like a tool call of the model."""
        chunks = []
        for job in self.jobs.unreported:
            tool = Tool(ToolSchema("use", "", {}), Risk.READ, partial(_prepared, end_action(self.jobs, job)))
            runs = automatic_dispatcher(self.runs(), tool)
            call = ToolCall(f"job_{job.number}", "use", json.dumps({"name": f"job/{job.number}"}))
            for event in runs(call):
                yield event
                if isinstance(event, ToolFinished):
                    text = f"[ctxe: a job ended meanwhile: `{runs.clean(job.line)}`]\n{event.result.text}"
                    chunks.append(Chunk(f"job {job.number}", text, "a job ended"))
        return chunks

    def _running_notes(self, *, every: bool = False) -> list[Chunk]:
        jobs = [job for job in self.jobs.running if every or not job.is_announced]
        for job in jobs:
            job.is_announced = True
        return [self._running_note(job) for job in jobs]

    def _running_note(self, job: Job) -> Chunk:
        text = f"[ctxe: job {job.number} {job.state}: `{self.runs().clean(job.line)}{_READS}{job.number} reads it]"
        return Chunk(f"{RUNS}{job.number}", text, "a job runs")


def _prepared(action: Action, _arguments: Mapping[str, Any]) -> Action:
    return action


@dataclass(slots=True)
class LoggedJobs:
    """The highest job number in a session's log, and the commands, by number, of jobs whose end is not logged."""

    highest: int = 0
    running: dict[int, str] = field(default_factory=dict)

    def take(self, event: Event) -> None:
        """Read one event."""
        match event:
            case ToolFinished(facts=facts):
                self._take_call(facts)
            case Queued(chunks=chunks) | Noted(chunks=chunks):
                for chunk in chunks:
                    self._take_note(chunk)

    def _take_call(self, facts: Mapping[str, Any]) -> None:
        number = facts.get("job")
        if not isinstance(number, int):
            return
        self.highest = max(self.highest, number)
        if facts.keys() & {"exit_code", "ended"}:
            self.running.pop(number, None)
        elif "command" in facts:
            self.running[number] = str(facts["command"])

    def _take_note(self, chunk: Chunk) -> None:
        begins, _, named = chunk.id.rpartition(" ")
        number = int(named) if named.isdecimal() and len(named) < LONGEST_NUMBER else 0
        if number and f"{begins} " == RUNS and number not in self.running:
            self.highest = max(self.highest, number)
            self.running[number] = chunk.text.partition(": `")[2].rpartition(_READS)[0]
        elif f"{begins} " == GONE:
            self.running.pop(number, None)


def logged_jobs(events: Iterable[Event]) -> LoggedJobs:
    """The jobs in the events of a session."""
    jobs = LoggedJobs()
    for event in events:
        jobs.take(event)
    return jobs


def ended_with_session(running: dict[int, str]) -> Iterator[Event]:
    """Queue a line for each job that ended together with the session."""
    if running:
        yield Queued(
            tuple(
                Chunk(f"{GONE}{number}", f"[ctxe: {_gone_line(number, command)}]", "it ended with its session")
                for number, command in running.items()
            )
        )


def ended_lines(running: dict[int, str]) -> list[str]:
    """The same lines for the user."""
    return [_gone_line(number, command) for number, command in running.items()]


def _gone_line(number: int, command: str) -> str:
    return f"job {number} no longer runs: `{one_line(command, LONGEST_COMMAND)}` ended with the session"
