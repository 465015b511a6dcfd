"""Jobs: commands that go on in the background. The model reads, awaits and stops them by ``use job/N``."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ctxe.domain.errors import ToolError
from ctxe.domain.model import ToolSchema
from ctxe.domain.tool import Action, Progress, Risk, ToolOutput, once
from ctxe.safety.display import one_line, strip_sequences
from ctxe.tools.arguments import checked
from ctxe.tools.ending import LONG, ended
from ctxe.tools.prose import BOOLEAN, COUNT, STRING

if TYPE_CHECKING:
    from ctxe.safety.background import Background
    from ctxe.safety.process import HandedOn

MOST = 8
"""Jobs that run at once."""
KEPT = 8
"""Jobs that have ended and whose output can still be read."""
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
LINE = 60
"""Characters of a command in one line."""
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


@dataclass(slots=True)
class Job:
    """One command in the background. ``shown`` counts the characters of its output that the model was told, ``last``
    is what it was told last; ``told``: it knows how the job ended. ``boxed``: it runs in a sandbox.
    """

    number: int
    command: str
    running: Background
    since: float
    shown: int = 0
    last: str = ""
    told: bool = False
    boxed: bool = False

    @property
    def line(self) -> str:
        """The command in one short line."""
        return one_line(self.command, LINE)

    @property
    def state(self) -> str:
        """How it stands, in a few words."""
        done = self.running.finished
        if done is None:
            return "still runs"
        if done.ended:
            return f"ended: {done.ended}"
        return f"ended by signal {-done.exit_code}" if done.exit_code < 0 else f"ended: exit {done.exit_code}"


@dataclass(slots=True)
class Jobs:
    """The jobs of a session by number. ``taken`` is the highest number that was ever given.

    ``network``: a sandbox leaves it to commands, so that others reach what a job in one serves. ``aside``: the command
    that runs in the foreground is to go on as a job; the user's key sets it.
    """

    root: Path
    network: bool = False
    taken: int = 0
    known: dict[int, Job] = field(default_factory=dict)
    aside: bool = False

    @property
    def running(self) -> list[Job]:
        """Those that have not ended."""
        return [job for job in self.known.values() if job.running.finished is None]

    @property
    def untold(self) -> list[Job]:
        """Those that ended without the model knowing."""
        return [job for job in self.known.values() if job.running.finished is not None and not job.told]

    def start(self, command: str, argv: Sequence[str], environment: Mapping[str, str], *, boxed: bool = False) -> Job:
        """A new job in the root. Raises ToolError when it cannot be started or too many run."""
        if len(self.running) >= MOST:
            raise ToolError(f"{MOST} jobs run already ({self._listed(self.running)}); stop one first")
        from ctxe.safety.background import start

        return self._known(command, start(argv, self.root, environment), boxed)

    def move(self) -> None:
        """The user wants the command that runs in the background."""
        self.aside = True

    def leaves(self) -> bool:
        """Is the command that runs to become a job now? Asked until it is, or the command has ended."""
        return self.aside and len(self.running) < MOST

    def take(self, command: str, began: HandedOn, *, boxed: bool = False) -> ToolOutput:
        """A command that ran in the foreground goes on as a job; the result of its call."""
        from ctxe.safety.background import take

        job = self._known(command, take(began, command), boxed)
        return self.begun(job, MOVED.format(seconds=job.running.seconds))

    def _known(self, command: str, running: Background, boxed: bool) -> Job:
        job = Job(self.taken + 1, command, running, time.time(), boxed=boxed)
        self.taken += 1
        self.known[job.number] = job
        for old in [one for one in self.known.values() if one.told][:-KEPT]:
            self.forget(old)
        return job

    def permit(self, paths: Sequence[str]) -> None:
        """Refuse to make what steers others while a job runs in a sandbox, which takes such things away at its end.

        ``paths`` are relative to the root. Raises ToolError.
        """
        from ctxe.safety.protected import protection

        boxed = next((job for job in self.running if job.boxed), None)
        new = next((path for path in paths if protection(path) and not os.path.lexists(self.root / path)), None)
        if boxed and new:
            raise ToolError(f"{new} would not stay: job {boxed.number} runs in a sandbox; stop it before you make that")

    def forget(self, job: Job) -> None:
        """It is no job any more."""
        self.known.pop(job.number, None)

    def first(self, job: Job, seconds: float) -> Iterator[Progress]:
        """Look at a new job until it ends or is silent after its first words; ``seconds`` where that was asked for."""

        def enough() -> bool:
            came = job.running.came
            return not seconds and bool(came) and time.monotonic() - came > QUIET_SECONDS

        yield from _watched(job, min(seconds or FIRST_SECONDS, MOST_SECONDS), enough)

    def begun(self, job: Job, moved: str = "") -> ToolOutput:
        """The result of the call that started it; ``moved`` says how it came to be a job."""
        text, lost = _news(job, whole=bool(moved))
        alone = ALONE if job.boxed and not self.network else ""
        words = f"[{moved}job {job.number} goes on{alone}; {READS.format(n=job.number)}]"
        return ToolOutput(_joined(text, lost, words), kind="shell", facts={"command": job.command, "job": job.number})

    def prepare(self, name: str, arguments: Mapping[str, Any]) -> Action | None:
        """What ``use`` does for ``job/N``, or ``job`` for all of them; None for any other name. Raises ToolError."""
        head, _, number = name.partition("/")
        if head not in ("job", "jobs") or (number and not number.isdecimal()):
            return None
        if not number:
            return Action("use", "list jobs", Risk.READ, once(self._told)) if self.known else None
        job = self.known.get(int(number))
        if job is None:
            raise ToolError(f"there is no job {number}; there are {self._listed(self.known.values()) or 'none'}")
        given = checked(SCHEMA, arguments)
        until, seconds = given.get("until", ""), float(min(given.get("seconds", 0), MOST_SECONDS))
        if given.get("stop"):
            return Action("use", f"stop job {job.number} ({job.line})", Risk.READ, once(partial(self._stopped, job)))
        what = f"wait for {one_line(until, LINE)!r} in" if until else "wait for" if seconds else "read"
        run = partial(self._read, job, until, seconds or (UNTIL_SECONDS if until else 0.0))
        return Action("use", f"{what} job {job.number} ({job.line})", Risk.READ, run)

    def ending(self, job: Job) -> Action:
        """Tell the model, unasked, how a job ended."""
        how = job.state.partition(": exit")[0]
        return Action(
            "use", f"job {job.number} {how} ({job.line})", Risk.READ, once(partial(self._over, job, NOTE_TOKENS))
        )

    def close(self, why: str = "the session ended") -> None:
        """End all of them."""
        for job in self.running:
            job.running.tell_to_end(why)
        for job in self.running:
            job.running.stop(why)

    def _read(self, job: Job, until: str, seconds: float) -> Iterator[Progress | ToolOutput]:
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
            yield self._over(job)
            return
        missing = until and not there()
        text, lost = _news(job)
        nothing = "" if text else "nothing new; "
        waited = f" after {time.monotonic() - began:.0f} s" if seconds and (missing or not until) else ""
        missed = f"; {until!r} did not come" + (", it stands in what you were told before" if enough() else "")
        words = f"[{nothing}job {job.number} {job.state}{waited}{missed if missing else ''}]"
        yield ToolOutput(_joined(text, lost, words), kind="shell", facts={"job": job.number})

    def _stopped(self, job: Job) -> ToolOutput:
        job.running.stop()
        return self._over(job)

    def _over(self, job: Job, most: int = 0) -> ToolOutput:
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
            facts |= ended(self.root, job.command, done).facts or {}
        ok = not first or done.exit_code == 0 or done.ended.startswith("stopped")
        return ToolOutput(words, ok, kind="shell", facts=facts, most=most)

    def _told(self) -> ToolOutput:
        return ToolOutput("\n".join(f"job/{job.number}: {job.line} [{job.state}]" for job in self.known.values()))

    def _listed(self, jobs: Iterable[Job]) -> str:
        return ", ".join(f"job/{job.number} {job.line}" for job in jobs)


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
