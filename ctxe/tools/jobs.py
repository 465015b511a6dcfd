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

MOST_RUNNING = 8
"""Jobs that may run at the same time."""
MOST_ENDED = 8
"""Ended jobs whose output can still be read."""
LONGEST_COMMAND = 60
"""Characters of a command that is shown in one line."""


@dataclass(slots=True)
class Job:
    """A command in the background. ``shown`` is the number of characters of its output that the model was shown,
    ``last`` the last of them. ``is_reported``: the model knows how the job ended. ``is_announced``: the model knows its
    number. ``is_sandboxed``: it runs in a sandbox. ``since`` is when it became a job, in seconds since 1970.
    """

    number: int
    command: str
    running: Background
    since: float
    shown: int = 0
    last: str = ""
    is_reported: bool = False
    is_sandboxed: bool = False
    is_announced: bool = False

    @property
    def line(self) -> str:
        """The command in one short line."""
        return one_line(self.command, LONGEST_COMMAND)

    @property
    def state(self) -> str:
        """Its state in a few words: running, or how it ended."""
        finished = self.running.finished
        if finished is None:
            return "still runs"
        if finished.ended:
            return f"ended: {finished.ended}"
        return (
            f"ended by signal {-finished.exit_code}" if finished.exit_code < 0 else f"ended: exit {finished.exit_code}"
        )


@dataclass(slots=True)
class Jobs:
    """The jobs of a session by number. ``last_number`` is the highest number ever given.

    ``network``: sandboxed commands share the network, so that they can reach a server run as a job.
    ``move_requested``: the user has asked for the running command to become a job.
    """

    root: Path
    network: bool = False
    last_number: int = 0
    by_number: dict[int, Job] = field(default_factory=dict)
    move_requested: bool = False

    @property
    def running(self) -> list[Job]:
        """Jobs that have not ended."""
        return [job for job in self.by_number.values() if job.running.finished is None]

    @property
    def unreported(self) -> list[Job]:
        """Jobs whose end the model does not know of yet."""
        return [job for job in self.by_number.values() if job.running.finished is not None and not job.is_reported]

    def start(
        self, command: str, argv: Sequence[str], environment: Mapping[str, str], *, is_sandboxed: bool = False
    ) -> Job:
        """Start a job in the root. Raises ToolError when it cannot be started or too many are running."""
        if len(self.running) >= MOST_RUNNING:
            raise ToolError(f"{MOST_RUNNING} jobs run already ({jobs_line(self.running)}); stop one first")
        from ctxe.safety.running.background import start

        return self._add(command, start(argv, self.root, environment), is_sandboxed)

    @contextlib.contextmanager
    def foreground(self) -> Iterator[None]:
        """Wrap a command that the user may move to the background; a key pressed before or after it does not count."""
        self.move_requested = False
        try:
            yield
        finally:
            self.move_requested = False

    def request_move(self) -> None:
        """Move the running command to the background, at the user's wish."""
        self.move_requested = True

    def should_move(self) -> bool:
        """Whether the running command should become a job now; asked again and again while it runs."""
        return self.move_requested and len(self.running) < MOST_RUNNING

    @property
    def is_move_waiting(self) -> bool:
        """Whether the running command should become a job as soon as another has ended."""
        return self.move_requested and len(self.running) >= MOST_RUNNING

    def adopt(self, command: str, process: HandedOn, *, is_sandboxed: bool = False) -> Job:
        """Make a command that ran in the foreground a job."""
        from ctxe.safety.running.background import take

        return self._add(command, take(process, command), is_sandboxed)

    def _add(self, command: str, running: Background, is_sandboxed: bool) -> Job:
        job = Job(self.last_number + 1, command, running, time.time(), is_sandboxed=is_sandboxed)
        self.last_number += 1
        self.by_number[job.number] = job
        for old in [other for other in self.by_number.values() if other.is_reported][:-MOST_ENDED]:
            self.forget(old)
        return job

    def has_succeeded(self, number: int) -> bool | None:
        """Whether a job ended successfully; None while it runs, False for an unknown one."""
        job = self.by_number.get(number)
        if job is None or (finished := job.running.finished) is None:
            return None if job else False
        return not finished.ended and finished.exit_code == 0

    def permit(self, paths: Sequence[str]) -> None:
        """Raise ToolError for a new protected file (see ``safety.protected``) while a job runs in a sandbox.

        The sandbox would delete the file when the job ends. ``paths`` are relative to the root.
        """
        from ctxe.safety.protected import protection

        sandboxed = next((job for job in self.running if job.is_sandboxed), None)
        created = next((path for path in paths if protection(path) and not os.path.lexists(self.root / path)), None)
        if sandboxed and created:
            raise ToolError(
                f"{created} would not stay: job {sandboxed.number} runs in a sandbox; stop it before you make that"
            )

    def forget(self, job: Job) -> None:
        """Drop a job."""
        self.by_number.pop(job.number, None)

    def close(self, why: str = "the session ended") -> None:
        """End all jobs."""
        for job in self.running:
            job.running.tell_to_end(why)
        for job in self.running:
            job.running.stop(why)


def jobs_line(jobs: Iterable[Job]) -> str:
    """Jobs in one line, by number and command."""
    return ", ".join(f"job/{job.number} {job.line}" for job in jobs)
