"""The jobs of a session: commands that run in the background."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ctxe.domain.errors import ToolError
from ctxe.domain.value import dataclass, field
from ctxe.safety.display import one_line

if TYPE_CHECKING:
    from ctxe.safety.running.background import Background
    from ctxe.safety.running.process import HandedOn

MOST = 8
"""Jobs that may run at the same time."""
KEPT = 8
"""Ended jobs whose output can still be read."""
LINE = 60
"""Characters of a command that is shown in one line."""


@dataclass(slots=True)
class Job:
    """A command in the background. ``shown`` is the number of characters of its output that the model was shown,
    ``last`` the last of them. ``told``: the model knows how the job ended. ``named``: the model knows its number.
    ``boxed``: it runs in a sandbox. ``since`` is when it became a job, in seconds since 1970.
    """

    number: int
    command: str
    running: Background
    since: float
    shown: int = 0
    last: str = ""
    told: bool = False
    boxed: bool = False
    named: bool = False

    @property
    def line(self) -> str:
        """The command in one short line."""
        return one_line(self.command, LINE)

    @property
    def state(self) -> str:
        """Its state in a few words: running, or how it ended."""
        done = self.running.finished
        if done is None:
            return "still runs"
        if done.ended:
            return f"ended: {done.ended}"
        return f"ended by signal {-done.exit_code}" if done.exit_code < 0 else f"ended: exit {done.exit_code}"


@dataclass(slots=True)
class Jobs:
    """The jobs of a session by number. ``taken`` is the highest number ever given.

    ``network``: sandboxed commands share the network, so that they can reach a server run as a job. ``aside``: the user
    has asked for the running command to become a job.
    """

    root: Path
    network: bool = False
    taken: int = 0
    known: dict[int, Job] = field(default_factory=dict)
    aside: bool = False

    @property
    def running(self) -> list[Job]:
        """Jobs that have not ended."""
        return [job for job in self.known.values() if job.running.finished is None]

    @property
    def untold(self) -> list[Job]:
        """Jobs whose end the model does not know of yet."""
        return [job for job in self.known.values() if job.running.finished is not None and not job.told]

    def start(self, command: str, argv: Sequence[str], environment: Mapping[str, str], *, boxed: bool = False) -> Job:
        """Start a job in the root. Raises ToolError when it cannot be started or too many are running."""
        if len(self.running) >= MOST:
            raise ToolError(f"{MOST} jobs run already ({listed(self.running)}); stop one first")
        from ctxe.safety.running.background import start

        return self._add(command, start(argv, self.root, environment), boxed)

    @contextlib.contextmanager
    def foreground(self) -> Iterator[None]:
        """Wrap a command that the user may move to the background; a key pressed before or after it does not count."""
        self.aside = False
        try:
            yield
        finally:
            self.aside = False

    def move(self) -> None:
        """Move the running command to the background, at the user's wish."""
        self.aside = True

    def leaves(self) -> bool:
        """Whether the running command should become a job now; asked again and again while it runs."""
        return self.aside and len(self.running) < MOST

    @property
    def waits(self) -> bool:
        """Whether the running command should become a job as soon as another has ended."""
        return self.aside and len(self.running) >= MOST

    def take(self, command: str, began: HandedOn, *, boxed: bool = False) -> Job:
        """Make a command that ran in the foreground a job."""
        from ctxe.safety.running.background import take

        return self._add(command, take(began, command), boxed)

    def _add(self, command: str, running: Background, boxed: bool) -> Job:
        job = Job(self.taken + 1, command, running, time.time(), boxed=boxed)
        self.taken += 1
        self.known[job.number] = job
        for old in [one for one in self.known.values() if one.told][:-KEPT]:
            self.forget(old)
        return job

    def passed(self, number: int) -> bool | None:
        """Whether a job ended successfully; None while it runs, False for an unknown one."""
        job = self.known.get(number)
        if job is None or (done := job.running.finished) is None:
            return None if job else False
        return not done.ended and done.exit_code == 0

    def permit(self, paths: Sequence[str]) -> None:
        """Raise ToolError for a new protected file (see ``safety.protected``) while a job runs in a sandbox.

        The sandbox would delete the file when the job ends. ``paths`` are relative to the root.
        """
        from ctxe.safety.protected import protection

        boxed = next((job for job in self.running if job.boxed), None)
        new = next((path for path in paths if protection(path) and not os.path.lexists(self.root / path)), None)
        if boxed and new:
            raise ToolError(f"{new} would not stay: job {boxed.number} runs in a sandbox; stop it before you make that")

    def forget(self, job: Job) -> None:
        """Drop a job."""
        self.known.pop(job.number, None)

    def close(self, why: str = "the session ended") -> None:
        """End all jobs."""
        for job in self.running:
            job.running.tell_to_end(why)
        for job in self.running:
            job.running.stop(why)


def listed(jobs: Iterable[Job]) -> str:
    """Jobs in one line, by number and command."""
    return ", ".join(f"job/{job.number} {job.line}" for job in jobs)
