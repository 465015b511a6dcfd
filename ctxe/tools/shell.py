"""run_command: a shell command in the root, bounded in time and output, with facts about how it went; or a job."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ctxe.domain.errors import ToolError
from ctxe.domain.tool import Action, Progress, Risk, Tool, ToolOutput
from ctxe.safety.display import strip_sequences
from ctxe.safety.programs import find_program
from ctxe.tools.arguments import checked
from ctxe.tools.prose import BOOLEAN, COUNT, STRING, describe
from ctxe.tools.workspace import Workspace

if TYPE_CHECKING:
    from ctxe.safety.process import Finished
    from ctxe.tools.jobs import Jobs

QUIET = {
    "TERM": "dumb",
    "NO_COLOR": "1",
    "PAGER": "cat",
    "GIT_PAGER": "cat",
    "GIT_EDITOR": "true",
    "GIT_TERMINAL_PROMPT": "0",
    "PYTHONUNBUFFERED": "1",
    "DEBIAN_FRONTEND": "noninteractive",
}
"""Nobody can answer a pager, an editor or a question; and both streams come in order when neither is buffered."""

ASKED = re.compile(
    r"EOFError|EOF when reading|not (?:from )?a (?:tty|terminal|TTY)|[Ii]nappropriate ioctl|no tty present"
    r"|a terminal is required|could not read (?:Username|Password)|Error reading input"
)
"""What programs say that wanted an answer from somebody."""
ASKS = "; it wanted input and there is none: give it as options, a file or a pipe"
TAIL = 2_000
"""Characters at the end of the output in which it is looked for."""
KEEPS = "with background it goes on"
LONG = 5.0
"""Seconds from which on the result says how long a command took."""


def run_command(workspace: Workspace, jobs: Jobs | None = None) -> Tool:
    """The tool. The result is both streams in the order they came, then ``[exit 0]`` or why the command was ended.

    ``jobs`` takes what shall go on in the background; without it everything ends with its call.
    """
    shape = {"command": STRING, "seconds": COUNT, "background": BOOLEAN}
    schema = describe("run_command", shape, ("command",))

    def prepare(arguments: Mapping[str, Any]) -> Action:
        given = checked(schema, arguments)
        command = given["command"]
        if not command.strip():
            raise ToolError("command is empty")
        if "\0" in command:
            raise ToolError("command holds a NUL character")
        limits = workspace.limits
        seconds = float(min(given.get("seconds", limits.command_seconds), limits.most_seconds))
        title = f"run {command.strip().splitlines()[0][:120]}"
        run, lasts = partial(_run, workspace, command, seconds, jobs is not None), bool(given.get("background"))
        if lasts:
            if jobs is None:
                raise ToolError("nothing goes on in the background here: run it without background")
            title += ", in the background"
            run = partial(_begin, workspace, jobs, command, float(given.get("seconds", 0)))
        return Action(
            "run_command",
            title,
            Risk.EXECUTE,
            run,
            preview=command,
            shows="command",
            command=command,
            lasts=lasts,
        )

    return Tool(schema, Risk.EXECUTE, prepare)


def _launch(workspace: Workspace, command: str) -> tuple[list[str], dict[str, str], bool]:
    """The command line, its environment, and whether a sandbox is round it. Raises ToolError without a shell."""
    shell = find_program("bash", workspace.root, workspace.search) or find_program("sh", workspace.root)
    if shell is None:
        raise ToolError("there is no shell on this system outside of the project")
    bare = [str(shell), "-c", command]
    argv = list(workspace.sandboxed(bare))
    return argv, {**workspace.environment, **QUIET, "PWD": str(workspace.root)}, argv != bare


def _run(workspace: Workspace, command: str, seconds: float, more: bool) -> Iterator[Progress | ToolOutput]:
    """Run it to its end; ``more``: it could have gone on in the background."""
    from ctxe.safety.process import Finished, run

    argv, environment, _ = _launch(workspace, command)
    with contextlib.closing(run(argv, workspace.root, environment, seconds, workspace.limits.text)) as pieces:
        for piece in pieces:
            if isinstance(piece, Finished):
                yield ended(workspace.root, command, piece, seconds, KEEPS if more else "")
            else:
                yield Progress(piece)


def _begin(workspace: Workspace, jobs: Jobs, command: str, seconds: float) -> Iterator[Progress | ToolOutput]:
    """Start it and look at what it prints first. What has ended by then was a command like any other."""
    argv, environment, boxed = _launch(workspace, command)
    job = jobs.start(command, argv, environment, boxed=boxed)
    yield from jobs.first(job, seconds)
    if (done := job.running.finished) is None:
        yield jobs.begun(job)
    else:
        jobs.forget(job)
        yield ended(workspace.root, command, done, seconds)


def ended(root: Path, command: str, done: Finished, limit: float = 0.0, more: str = "") -> ToolOutput:
    """The result of a command that ended, its time limit in seconds, and what to say where it was cut short."""
    from ctxe.tools.outcomes.outcome import outcome

    text = done.output.rstrip("\n")
    ok = done.exit_code == 0 and not done.ended
    facts = outcome(
        command,
        None if done.ended else done.exit_code,
        strip_sequences(done.output),
        str(root),
        done.seconds,
    )
    if done.ended:
        facts["timed_out"] = done.timed_out
    asked = "" if ok or not ASKED.search(text[-TAIL:]) else ASKS
    how = _ending(limit, done, asked, more)
    words = f"{text}\n{how}" if text else f"(no output) {how}"
    return ToolOutput(words, ok, kind="shell", facts=facts)


def _ending(seconds: float, done: Finished, asked: str = "", more: str = "") -> str:
    """How the command ended, and what it left running; ``more`` where it was not over."""
    from ctxe.safety.process import Finished

    match done:
        case Finished(ended="time limit"):
            how = f"ended after {seconds:.0f} s, the time limit; it may be raised by seconds{more and f', {more}'}"
        case Finished(ended=why) if why:
            how = f"ended: {why}"
        case Finished(exit_code=code) if code < 0:
            how = f"ended by signal {-code}"
        case Finished(exit_code=code):
            how = f"exit {code}" + (f", {done.seconds:.0f} s" if done.seconds >= LONG else "")
    many = "es were" if done.left != 1 else " was"
    more = more and f": {more}"
    left = f"; {done.left} background process{many} ended too{more}" if done.left and not done.ended else ""
    return f"[{how}{asked}{left}]"
