"""Jobs of a session: what the model is told of them unasked, and what of them is left when a session goes on."""

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
from ctxe.domain.value import dataclass
from ctxe.project.session.calls import unasked
from ctxe.safety.display import one_line
from ctxe.tools.jobs import LINE, Job, Jobs
from ctxe.tools.use_job import ending

GONE = "gone job "
"""How a chunk is called that says that a job ended with the session it ran in."""
RUNS = "running job "
"""The same of one that says that a job runs."""
_READS = "`; `use` job/"
LONGEST_NUMBER = 10


@dataclass(slots=True)
class Telling:
    """Tells the model once that a job ended, and which ones run: all after a fold, before it those that it knows
    nothing of, for the user stopped the call that started them. ``runs`` runs calls.
    """

    jobs: Jobs
    runs: Callable[[], Dispatcher]
    fold: Fold | None = None

    def between(self, state: State) -> Iterator[Event]:
        """What is told between two steps."""
        if not (state.conversation.turns and state.turn.steps):
            return
        chunks = yield from self._ended()
        folded, self.fold = state.conversation.fold is not self.fold, state.conversation.fold
        chunks += self._going_on(every=folded and self.fold is not None)
        if chunks:
            yield Noted(tuple(chunks))

    def before(self) -> Iterator[Event]:
        """What is told with the user's next words."""
        chunks = yield from self._ended()
        if chunks := [*chunks, *self._going_on()]:
            yield Queued(tuple(chunks))

    def _ended(self) -> Generator[Event, None, list[Chunk]]:
        """Jobs that ended by themselves: each is shown, logged and remembered like a call of the model's."""
        chunks = []
        for job in self.jobs.untold:
            tool = Tool(ToolSchema("use", "", {}), Risk.READ, partial(_prepared, ending(self.jobs, job)))
            runs = unasked(self.runs(), tool)
            call = ToolCall(f"job_{job.number}", "use", json.dumps({"name": f"job/{job.number}"}))
            for event in runs(call):
                yield event
                if isinstance(event, ToolFinished):
                    said = f"[ctxe: a job ended meanwhile: `{runs.clean(job.line)}`]\n{event.result.text}"
                    chunks.append(Chunk(f"job {job.number}", said, "a job ended"))
        return chunks

    def _going_on(self, *, every: bool = False) -> list[Chunk]:
        jobs = [job for job in self.jobs.running if every or not job.named]
        for job in jobs:
            job.named = True
        return [self._goes_on(job) for job in jobs]

    def _goes_on(self, job: Job) -> Chunk:
        text = f"[ctxe: job {job.number} {job.state}: `{self.runs().clean(job.line)}{_READS}{job.number} reads it]"
        return Chunk(f"{RUNS}{job.number}", text, "a job runs")


def _prepared(action: Action, _arguments: Mapping[str, Any]) -> Action:
    return action


def left(events: Iterable[Event]) -> tuple[int, dict[int, str]]:
    """(the highest number of a job, commands of jobs whose end a session's log does not tell) by its events."""
    highest, running = 0, dict[int, str]()
    for event in events:
        if isinstance(event, ToolFinished) and isinstance(number := event.facts.get("job"), int):
            highest = max(highest, number)
            if event.facts.keys() & {"exit_code", "ended"}:
                running.pop(number, None)
            elif "command" in event.facts:
                running[number] = str(event.facts["command"])
        elif isinstance(event, Queued | Noted):
            for chunk in event.chunks:
                begins, _, named = chunk.id.rpartition(" ")
                number = int(named) if named.isdecimal() and len(named) < LONGEST_NUMBER else 0
                if number and f"{begins} " == RUNS and number not in running:
                    highest = max(highest, number)
                    running[number] = chunk.text.partition(": `")[2].rpartition(_READS)[0]
                elif f"{begins} " == GONE:
                    running.pop(number, None)
    return highest, running


def gone(running: dict[int, str]) -> Iterator[Event]:
    """Say that jobs ended with the session they ran in."""
    if running:
        yield Queued(
            tuple(
                Chunk(f"{GONE}{number}", f"[ctxe: {_over(number, command)}]", "it ended with its session")
                for number, command in running.items()
            )
        )


def words(running: dict[int, str]) -> list[str]:
    """The same for the user."""
    return [_over(number, command) for number, command in running.items()]


def _over(number: int, command: str) -> str:
    return f"job {number} no longer runs: `{one_line(command, LINE)}` ended with the session"
