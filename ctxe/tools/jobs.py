"""The jobs of a session: commands that go on in the background, begun, counted and ended."""

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
"""Jobs that run at once."""
KEPT = 8
"""Jobs that have ended and whose output can still be read."""
LINE = 60
"""Characters of a command in one line."""


@dataclass(slots=True)
class Job:
    """One command in the background. ``shown`` counts the characters of its output that the model was told, ``last``
    is what it was told last; ``told``: it knows how the job ended. ``boxed``: it runs in a sandbox. ``named``: the
    model knows its number.
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
            raise ToolError(f"{MOST} jobs run already ({listed(self.running)}); stop one first")
        from ctxe.safety.running.background import start

        return self._known(command, start(argv, self.root, environment), boxed)

    @contextlib.contextmanager
    def foreground(self) -> Iterator[None]:
        """Round a command that the user may move: a key pressed before or behind it is none for it."""
        self.aside = False
        try:
            yield
        finally:
            self.aside = False

    def move(self) -> None:
        """The user wants the command that runs in the background."""
        self.aside = True

    def leaves(self) -> bool:
        """Is the command that runs to become a job now? Asked until it is, or the command has ended."""
        return self.aside and len(self.running) < MOST

    @property
    def waits(self) -> bool:
        """Is the command that runs to become a job once another has ended?"""
        return self.aside and len(self.running) >= MOST

    def take(self, command: str, began: HandedOn, *, boxed: bool = False) -> Job:
        """A command that ran in the foreground goes on as a job."""
        from ctxe.safety.running.background import take

        return self._known(command, take(began, command), boxed)

    def _known(self, command: str, running: Background, boxed: bool) -> Job:
        job = Job(self.taken + 1, command, running, time.time(), boxed=boxed)
        self.taken += 1
        self.known[job.number] = job
        for old in [one for one in self.known.values() if one.told][:-KEPT]:
            self.forget(old)
        return job

    def passed(self, number: int) -> bool | None:
        """Whether a job ended well; None while it runs. One that is not known any more did not."""
        job = self.known.get(number)
        if job is None or (done := job.running.finished) is None:
            return None if job else False
        return not done.ended and done.exit_code == 0

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

    def close(self, why: str = "the session ended") -> None:
        """End all of them."""
        for job in self.running:
            job.running.tell_to_end(why)
        for job in self.running:
            job.running.stop(why)


def listed(jobs: Iterable[Job]) -> str:
    """Jobs in a row, by number and command."""
    return ", ".join(f"job/{job.number} {job.line}" for job in jobs)
