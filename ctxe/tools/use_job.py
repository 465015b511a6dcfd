"""Telling the model about jobs, and letting it read, await and stop them by ``use job/N``."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from ctxe.domain.errors import ToolError
from ctxe.domain.model import ToolSchema
from ctxe.domain.tool import Action, Progress, Risk, ToolOutput, without_progress
from ctxe.safety.display import one_line, strip_sequences
from ctxe.tools.arguments import parse_arguments
from ctxe.tools.command_result import LONG_SECONDS, command_output
from ctxe.tools.jobs import LONGEST_COMMAND, Job, Jobs, jobs_line
from ctxe.tools.schemas import BOOLEAN, COUNT, STRING

FIRST_SECONDS, QUIET_SECONDS = 2.0, 0.7
"""The longest time a new job is watched, and the silence after its first output that ends this earlier."""
UNTIL_SECONDS, MOST_SECONDS = 30.0, 600.0
"""How long to wait for a text by default, and the longest wait."""
STEP_SECONDS = 0.2
BEFORE_SECONDS = 3.0
"""Silence after which the wait ends for a text that is in output the model has seen already."""
NOTE_TOKENS = 500
"""Tokens of a job's last output when the model is told, unasked, that it ended; a handle brings back the rest."""
PROGRESS_CHARACTERS = 400
"""Characters of new output that each progress event shows during a wait."""
SCHEMA = ToolSchema(
    "use job/N",
    "",
    {"type": "object", "properties": {"until": STRING, "seconds": COUNT, "stop": BOOLEAN}},
)
HOW_TO_READ = (
    '`use` job/{n} reads what it prints next; with {{"until": "TEXT", "seconds": N}} it waits for a text or the end, '
    'with {{"stop": true}} it ends it'
)


MOVED_NOTE = "the user moved it to the background after {seconds:.0f} s: "
NO_NETWORK = " in a sandbox without network: no other command reaches its ports unless the user allows that"


def watch_start(job: Job, seconds: float) -> Iterator[Progress]:
    """Watch a new job until it ends or is silent after its first output, or for ``seconds`` if they are given."""

    def enough() -> bool:
        last_output = job.running.last_output
        return not seconds and bool(last_output) and time.monotonic() - last_output > QUIET_SECONDS

    yield from _watch(job, min(seconds or FIRST_SECONDS, MOST_SECONDS), enough)


def start_notice(jobs: Jobs, job: Job, *, moved: bool = False) -> ToolOutput:
    """The result of the call that started a job; ``moved``: the user moved it to the background."""
    job.is_announced = True
    text, dropped = _new_output(job, whole=moved)
    network_note = NO_NETWORK if job.is_sandboxed and not jobs.network else ""
    origin = MOVED_NOTE.format(seconds=job.running.seconds) if moved else ""
    summary = f"[{origin}job {job.number} goes on{network_note}; {HOW_TO_READ.format(n=job.number)}]"
    return ToolOutput(
        _with_output(text, dropped, summary), kind="shell", facts={"command": job.command, "job": job.number}
    )


def prepare(jobs: Jobs, name: str, arguments: Mapping[str, Any]) -> Action | None:
    """The action of ``use`` for ``job/N``, or for ``job``, which lists all; None for other names. Raises ToolError."""
    head, _, number = name.partition("/")
    if head not in ("job", "jobs") or (number and not number.isdecimal()):
        return None
    if not number:
        return Action("use", "list jobs", Risk.READ, without_progress(partial(_list, jobs))) if jobs.by_number else None
    job = jobs.by_number.get(int(number))
    if job is None:
        raise ToolError(f"there is no job {number}; there are {jobs_line(jobs.by_number.values()) or 'none'}")
    parsed = parse_arguments(SCHEMA, arguments)
    until, seconds = parsed.get("until", ""), float(min(parsed.get("seconds", 0), MOST_SECONDS))
    if parsed.get("stop"):
        return Action(
            "use", f"stop job {job.number} ({job.line})", Risk.READ, without_progress(partial(_stop, jobs, job))
        )
    verb = f"wait for {one_line(until, LONGEST_COMMAND)!r} in" if until else "wait for" if seconds else "read"
    run = partial(_read, jobs, job, until, seconds or (UNTIL_SECONDS if until else 0.0))
    return Action("use", f"{verb} job {job.number} ({job.line})", Risk.READ, run)


def end_action(jobs: Jobs, job: Job) -> Action:
    """The action that tells the model, unasked, how a job ended."""
    ending = job.state.partition(": exit")[0]
    return Action(
        "use",
        f"job {job.number} {ending} ({job.line})",
        Risk.READ,
        without_progress(partial(_ended, jobs, job, NOTE_TOKENS)),
    )


def _read(jobs: Jobs, job: Job, until: str, seconds: float) -> Iterator[Progress | ToolOutput]:
    """New output since the last reading, after a wait for a text in it or for the end of the job."""
    wanted = until.casefold()

    def has_appeared() -> bool:
        return bool(wanted) and wanted in _folded(job.running.since(job.shown)[0])

    def enough() -> bool:
        silent = time.monotonic() - max(job.running.last_output, started) > BEFORE_SECONDS
        return has_appeared() or (bool(wanted) and wanted in _folded(job.last) and silent)

    started = time.monotonic()
    yield from _watch(job, seconds, enough)
    if job.running.finished is not None:
        yield _ended(jobs, job)
        return
    missing = until and not has_appeared()
    text, dropped = _new_output(job)
    nothing = "" if text else "nothing new; "
    waited = f" after {time.monotonic() - started:.0f} s" if seconds and (missing or not until) else ""
    missing_note = f"; {until!r} did not come" + (", it is in output you have seen already" if enough() else "")
    summary = f"[{nothing}job {job.number} {job.state}{waited}{missing_note if missing else ''}]"
    yield ToolOutput(_with_output(text, dropped, summary), kind="shell", facts={"job": job.number})


def _stop(jobs: Jobs, job: Job) -> ToolOutput:
    job.running.stop()
    return _ended(jobs, job)


def _ended(jobs: Jobs, job: Job, most: int = 0) -> ToolOutput:
    """The result for an ended job: new output, how it ended, and the first time also the facts of a command."""
    finished = job.running.finished
    if finished is None:
        raise ToolError(f"job {job.number} does not end; try again")
    is_first, job.is_reported = not job.is_reported, True
    text, dropped = _new_output(job, whole=True)
    duration = f", {finished.seconds:.0f} s" if finished.seconds >= LONG_SECONDS else ""
    text_shown = _with_output(text, dropped, f"[job {job.number} {job.state}{duration}]")
    facts: dict[str, Any] = {"job": job.number, "command": job.command}
    if finished.ended:
        facts["ended"] = finished.ended
    elif is_first:
        facts |= command_output(jobs.root, job.command, finished).facts or {}
    ok = not is_first or finished.exit_code == 0 or finished.ended.startswith("stopped")
    return ToolOutput(text_shown, ok, kind="shell", facts=facts, token_limit=most)


def _list(jobs: Jobs) -> ToolOutput:
    return ToolOutput("\n".join(f"job/{job.number}: {job.line} [{job.state}]" for job in jobs.by_number.values()))


def _watch(job: Job, seconds: float, enough: Callable[[], bool]) -> Iterator[Progress]:
    """Wait until the job ends or ``enough`` is true, yielding new output as progress."""
    deadline, place = time.monotonic() + seconds, job.shown
    while (remaining := deadline - time.monotonic()) > 0:
        is_over = job.running.wait(min(remaining, STEP_SECONDS), enough)
        text, place, _ = job.running.since(place, whole=True)
        if text:
            yield Progress(text[-PROGRESS_CHARACTERS:])
        if is_over:
            return


def _new_output(job: Job, *, whole: bool = False) -> tuple[str, int]:
    """Output that the model has not seen yet, and the number of characters before it that were dropped."""
    text, job.shown, dropped = job.running.since(job.shown, whole=whole)
    job.last = text or job.last
    return text.strip("\n"), dropped


def _with_output(text: str, dropped: int, summary: str) -> str:
    head = f"… {dropped:,} characters left out …\n" if dropped else ""
    return f"{head}{text}\n{summary}" if text else f"{head}{summary}"


def _folded(text: str) -> str:
    return strip_sequences(text).casefold()
