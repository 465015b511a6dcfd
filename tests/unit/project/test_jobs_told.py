"""Notes to the model about jobs: each end once, running jobs after a fold, lost jobs on resume."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from ctxe.agent.dispatch import Dispatcher
from ctxe.agent.state import State
from ctxe.domain.conversation import Conversation, Fold, Position, Reply, Step, ToolResult, Turn
from ctxe.domain.events import Event, Noted, Queued, ToolFinished, ToolStarted
from ctxe.domain.section import Chunk
from ctxe.domain.tool import Allow, ToolOutput
from ctxe.project.session.jobs import JobNotes, LoggedJobs, ended_lines, ended_with_session, logged_jobs
from ctxe.tools.jobs import Jobs

FOLD = Fold(Position(0, 1), cause="due")


def talk(*, fold: Fold | None = None, steps: int = 1) -> State:
    turn = Turn("go", steps=(Step(Reply("working"), ()),) * steps)
    return State(conversation=Conversation((turn,), fold))


@pytest.fixture
def jobs(tmp_path: Path) -> Iterator[Jobs]:
    made = Jobs(tmp_path)
    yield made
    made.close()


def job_notes(jobs: Jobs) -> JobNotes:
    def trim(output: ToolOutput) -> tuple[str, str]:
        return output.text[-200:], ""

    def clean(text: str) -> str:
        return text.replace("sesame", "…")

    runs = Dispatcher({}, lambda _: Allow(), lambda *_: Allow(), trim, clean)
    return JobNotes(jobs, lambda: runs)


def begin(jobs: Jobs, command: str) -> None:
    jobs.start(command, ["sh", "-c", command], {"PATH": os.environ["PATH"]}).is_announced = True


def test_the_end_of_a_job_is_reported_once_logged_and_masked(jobs: Jobs) -> None:
    tells = job_notes(jobs)
    begin(jobs, "echo sesame; exit 3")
    jobs.by_number[1].running.wait(10)
    assert list(tells.between_steps(talk(steps=0))) == [], "there is no step yet to stand behind"
    started, finished, noted = tells.between_steps(talk())
    assert isinstance(started, ToolStarted)
    assert isinstance(finished, ToolFinished)
    assert (finished.result.call_id, finished.result.ok, finished.title) == (
        "job_1",
        False,
        "job 1 ended (echo …; exit 3)",
    )
    assert (finished.facts["job"], finished.facts["exit_code"]) == (1, 3)
    said = "[ctxe: a job ended meanwhile: `echo …; exit 3`]\n…\n[job 1 ended: exit 3]"
    assert noted == Noted((Chunk("job 1", said, "a job ended"),))
    assert list(tells.between_steps(talk())) == list(tells.before_words()) == []


def test_the_end_of_a_job_between_turns_waits_for_the_next_message(jobs: Jobs) -> None:
    tells = job_notes(jobs)
    begin(jobs, "true")
    jobs.by_number[1].running.wait(10)
    *_, queued = tells.before_words()
    said = "[ctxe: a job ended meanwhile: `true`]\n[job 1 ended: exit 0]"
    assert queued == Queued((Chunk("job 1", said, "a job ended"),))


def test_running_jobs_are_reported_once_after_a_fold(jobs: Jobs) -> None:
    tells = job_notes(jobs)
    begin(jobs, "sleep 60")
    assert list(tells.between_steps(talk())) == []
    note = Chunk("running job 1", "[ctxe: job 1 still runs: `sleep 60`; `use` job/1 reads it]", "a job runs")
    assert list(tells.between_steps(talk(fold=FOLD))) == [Noted((note,))]
    assert list(tells.between_steps(talk(fold=FOLD))) == []


def test_a_job_started_in_an_interrupted_turn_is_reported_with_the_next_message(jobs: Jobs) -> None:
    tells = job_notes(jobs)
    begin(jobs, "sleep 60 # sesame")
    jobs.by_number[1].is_announced = False
    (queued,) = tells.before_words()
    said = "[ctxe: job 1 still runs: `sleep 60 # …`; `use` job/1 reads it]"
    assert queued == Queued((Chunk("running job 1", said, "a job runs"),))
    assert list(tells.before_words()) == list(tells.between_steps(talk())) == []
    assert logged_jobs([queued]) == LoggedJobs(1, {1: "sleep 60 # …"})
    assert logged_jobs([queued, *ended_with_session({1: "sleep 60"})]) == LoggedJobs(1, {})
    odd = [Queued((Chunk(name, "", ""),)) for name in ("running job x", "gone job ", "running job " + "9" * 5000)]
    assert logged_jobs(odd) == LoggedJobs(0, {})


def finished(**facts: object) -> ToolFinished:
    return ToolFinished(ToolResult("c", ""), "run_command", facts=facts)


def test_a_job_still_running_in_the_log_is_reported_lost_once_on_resume() -> None:
    events: list[Event] = [
        finished(command="npm run dev", job=1),
        finished(command="make", job=2),
        finished(command="watch", job=3),
        finished(command="true", exit_code=0),
        finished(job=1),
        finished(job=2, command="make", exit_code=2),
        finished(job=3, command="watch", ended="stopped"),
        finished(command="tail -f log", job=4),
    ]
    jobs = logged_jobs(events)
    highest, running = jobs.highest, jobs.running
    assert (highest, running) == (4, {1: "npm run dev", 4: "tail -f log"})
    assert ended_lines(running)[0] == "job 1 no longer runs: `npm run dev` ended with the session"
    told = list(ended_with_session(running))
    assert [chunk.id for event in told if isinstance(event, Queued) for chunk in event.chunks] == [
        "gone job 1",
        "gone job 4",
    ]
    assert logged_jobs([*events, *told]) == LoggedJobs(4, {})
    assert list(ended_with_session({})) == []
    assert logged_jobs([]) == LoggedJobs(0, {})
