"""What the model is told of jobs, and how it reads, awaits and stops them by ``use job/N``."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from ctxe.domain.errors import ToolError
from ctxe.domain.model import ToolSchema
from ctxe.domain.tool import Action, Progress, Risk, ToolOutput, once
from ctxe.safety.display import one_line, strip_sequences
from ctxe.tools.arguments import checked
from ctxe.tools.command_result import LONG, ended
from ctxe.tools.jobs import LINE, Job, Jobs, listed
from ctxe.tools.prose import BOOLEAN, COUNT, STRING

FIRST_SECONDS, QUIET_SECONDS = 2.0, 0.7
"""How long a new job is looked at, and after how much silence behind its first words no longer."""
UNTIL_SECONDS, MOST_SECONDS = 30.0, 600.0
"""How long a text is waited for unless told otherwise, and the most that anything is."""
STEP_SECONDS = 0.2
BEFORE_SECONDS = 3.0
"""Silence after which a text that was told already is not waited for any longer."""
NOTE_TOKENS = 500
"""Tokens of its last output when the model is told that a job ended; all of it stands under a handle."""
SHOWN = 400
"""Characters of new output that are shown at a time during a wait; one that is stopped keeps them."""
SCHEMA = ToolSchema(
    "use job/N",
    "",
    {"type": "object", "properties": {"until": STRING, "seconds": COUNT, "stop": BOOLEAN}},
)
READS = (
    '`use` job/{n} reads what it prints next; with {{"until": "TEXT", "seconds": N}} it waits for a text or the end, '
    'with {{"stop": true}} it ends it'
)


MOVED = "the user moved it to the background after {seconds:.0f} s: "
ALONE = " in a sandbox without network: no other command reaches its ports unless the user allows that"


def first(job: Job, seconds: float) -> Iterator[Progress]:
    """Look at a new job until it ends or is silent after its first words; ``seconds`` where that was asked for."""

    def enough() -> bool:
        came = job.running.came
        return not seconds and bool(came) and time.monotonic() - came > QUIET_SECONDS

    yield from _watched(job, min(seconds or FIRST_SECONDS, MOST_SECONDS), enough)


def begun(jobs: Jobs, job: Job, *, moved: bool = False) -> ToolOutput:
    """The result of the call that started it; ``moved`` by the user out of the foreground."""
    job.named = True
    text, lost = _news(job, whole=moved)
    alone = ALONE if job.boxed and not jobs.network else ""
    came = MOVED.format(seconds=job.running.seconds) if moved else ""
    words = f"[{came}job {job.number} goes on{alone}; {READS.format(n=job.number)}]"
    return ToolOutput(_joined(text, lost, words), kind="shell", facts={"command": job.command, "job": job.number})


def prepare(jobs: Jobs, name: str, arguments: Mapping[str, Any]) -> Action | None:
    """What ``use`` does for ``job/N``, or ``job`` for all of them; None for any other name. Raises ToolError."""
    head, _, number = name.partition("/")
    if head not in ("job", "jobs") or (number and not number.isdecimal()):
        return None
    if not number:
        return Action("use", "list jobs", Risk.READ, once(partial(_told, jobs))) if jobs.known else None
    job = jobs.known.get(int(number))
    if job is None:
        raise ToolError(f"there is no job {number}; there are {listed(jobs.known.values()) or 'none'}")
    given = checked(SCHEMA, arguments)
    until, seconds = given.get("until", ""), float(min(given.get("seconds", 0), MOST_SECONDS))
    if given.get("stop"):
        return Action("use", f"stop job {job.number} ({job.line})", Risk.READ, once(partial(_stopped, jobs, job)))
    what = f"wait for {one_line(until, LINE)!r} in" if until else "wait for" if seconds else "read"
    run = partial(_read, jobs, job, until, seconds or (UNTIL_SECONDS if until else 0.0))
    return Action("use", f"{what} job {job.number} ({job.line})", Risk.READ, run)


def ending(jobs: Jobs, job: Job) -> Action:
    """Tell the model, unasked, how a job ended."""
    how = job.state.partition(": exit")[0]
    return Action(
        "use", f"job {job.number} {how} ({job.line})", Risk.READ, once(partial(_over, jobs, job, NOTE_TOKENS))
    )


def _read(jobs: Jobs, job: Job, until: str, seconds: float) -> Iterator[Progress | ToolOutput]:
    """What it printed since it was read last, after a wait for a text in that or for its end."""
    wanted = until.casefold()

    def there() -> bool:
        return bool(wanted) and wanted in _plain(job.running.since(job.shown)[0])

    def enough() -> bool:
        silent = time.monotonic() - max(job.running.came, began) > BEFORE_SECONDS
        return there() or (bool(wanted) and wanted in _plain(job.last) and silent)

    began = time.monotonic()
    yield from _watched(job, seconds, enough)
    if job.running.finished is not None:
        yield _over(jobs, job)
        return
    missing = until and not there()
    text, lost = _news(job)
    nothing = "" if text else "nothing new; "
    waited = f" after {time.monotonic() - began:.0f} s" if seconds and (missing or not until) else ""
    missed = f"; {until!r} did not come" + (", it stands in what you were told before" if enough() else "")
    words = f"[{nothing}job {job.number} {job.state}{waited}{missed if missing else ''}]"
    yield ToolOutput(_joined(text, lost, words), kind="shell", facts={"job": job.number})


def _stopped(jobs: Jobs, job: Job) -> ToolOutput:
    job.running.stop()
    return _over(jobs, job)


def _over(jobs: Jobs, job: Job, most: int = 0) -> ToolOutput:
    """The end of a job: what was not told yet, how it ended, and the facts of it as of any command."""
    done = job.running.finished
    if done is None:
        raise ToolError(f"job {job.number} does not end; try it once more")
    first, job.told = not job.told, True
    text, lost = _news(job, whole=True)
    took = f", {done.seconds:.0f} s" if done.seconds >= LONG else ""
    words = _joined(text, lost, f"[job {job.number} {job.state}{took}]")
    facts: dict[str, Any] = {"job": job.number, "command": job.command}
    if done.ended:
        facts["ended"] = done.ended
    elif first:
        facts |= ended(jobs.root, job.command, done).facts or {}
    ok = not first or done.exit_code == 0 or done.ended.startswith("stopped")
    return ToolOutput(words, ok, kind="shell", facts=facts, most=most)


def _told(jobs: Jobs) -> ToolOutput:
    return ToolOutput("\n".join(f"job/{job.number}: {job.line} [{job.state}]" for job in jobs.known.values()))


def _watched(job: Job, seconds: float, enough: Callable[[], bool]) -> Iterator[Progress]:
    """Wait, and show what comes meanwhile."""
    deadline, place = time.monotonic() + seconds, job.shown
    while (left := deadline - time.monotonic()) > 0:
        over = job.running.wait(min(left, STEP_SECONDS), enough)
        text, place, _ = job.running.since(place, whole=True)
        if text:
            yield Progress(text[-SHOWN:])
        if over:
            return


def _news(job: Job, *, whole: bool = False) -> tuple[str, int]:
    """What the model was not told yet, now told, and how many characters before it were forgotten."""
    text, job.shown, lost = job.running.since(job.shown, whole=whole)
    job.last = text or job.last
    return text.strip("\n"), lost


def _joined(text: str, lost: int, words: str) -> str:
    head = f"… {lost:,} characters left out …\n" if lost else ""
    return f"{head}{text}\n{words}" if text else f"{head}{words}"


def _plain(text: str) -> str:
    return strip_sequences(text).casefold()
