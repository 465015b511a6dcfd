"""run_command: a shell command in the root, limited in time and output, or a job in the background."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from ctxe.domain.errors import ToolError
from ctxe.domain.tool import Action, Progress, Risk, Tool, ToolOutput
from ctxe.safety.programs import find_program
from ctxe.tools.arguments import parse_arguments
from ctxe.tools.schemas import BOOLEAN, COUNT, STRING, describe
from ctxe.tools.workspace import Workspace

if TYPE_CHECKING:
    from ctxe.tools.jobs import Jobs

QUIET = {
    "TERM": "dumb",
    "NO_COLOR": "1",
    "PAGER": "cat",
    "GIT_PAGER": "cat",
    "EDITOR": "true",
    "VISUAL": "true",
    "GIT_EDITOR": "true",
    "GIT_TERMINAL_PROMPT": "0",
    "PYTHONUNBUFFERED": "1",
    "DEBIAN_FRONTEND": "noninteractive",
}
"""Environment of commands: nobody can answer a pager, an editor or a question, and unbuffered output stays in order."""

JOB_HINT = "with background it keeps running"


def run_command(workspace: Workspace, jobs: Jobs | None = None) -> Tool:
    """The tool. The result is both output streams as they came, then ``[exit 0]`` or the reason why the command ended.

    ``jobs`` holds commands that run in the background; without it no command can.
    """
    shape = {"command": STRING, "seconds": COUNT, "background": BOOLEAN}
    schema = describe("run_command", shape, ("command",))

    def prepare(arguments: Mapping[str, Any]) -> Action:
        parsed = parse_arguments(schema, arguments)
        command = parsed["command"]
        if not command.strip():
            raise ToolError("command is empty")
        if "\0" in command:
            raise ToolError("command holds a NUL character")
        bounds = workspace.bounds
        seconds = float(min(parsed.get("seconds", bounds.command_seconds), bounds.most_seconds))
        title = f"run {command.strip().splitlines()[0][:120]}"
        run, is_background = partial(_run, workspace, command, seconds, jobs), bool(parsed.get("background"))
        if is_background:
            if jobs is None:
                raise ToolError("there are no background jobs here: run it without background")
            title += ", in the background"
            run = partial(_begin, workspace, jobs, command, float(parsed.get("seconds", 0)))
        return Action(
            "run_command",
            title,
            Risk.EXECUTE,
            run,
            preview=command,
            preview_kind="command",
            command=command,
            is_background=is_background,
        )

    return Tool(schema, Risk.EXECUTE, prepare)


def _launch(workspace: Workspace, command: str) -> tuple[list[str], dict[str, str], bool]:
    """The command line, its environment, and whether it is sandboxed. Raises ToolError when there is no shell."""
    shell = find_program("bash", workspace.root, workspace.search) or find_program("sh", workspace.root)
    if shell is None:
        raise ToolError("there is no shell on this system outside of the project")
    unwrapped = [str(shell), "-c", command]
    argv = list(workspace.wrap_command(unwrapped))
    return argv, {**workspace.environment, **QUIET, "PWD": str(workspace.root)}, argv != unwrapped


def _run(workspace: Workspace, command: str, seconds: float, jobs: Jobs | None) -> Iterator[Progress | ToolOutput]:
    """Run a command to its end, or until the user moves it to the background."""
    from ctxe.safety.running.process import Finished, run_or_leave
    from ctxe.tools.command_result import command_output

    argv, environment, is_sandboxed = _launch(workspace, command)
    should_move, limit = jobs.should_move if jobs is not None else None, workspace.bounds.text
    with (
        jobs.foreground() if jobs is not None else contextlib.nullcontext(),
        contextlib.closing(run_or_leave(argv, workspace.root, environment, seconds, limit, should_move)) as pieces,
    ):
        for piece in pieces:
            if isinstance(piece, Finished):
                sandbox_rules = workspace.sandbox_notice() if is_sandboxed else ""
                yield command_output(
                    workspace.root, command, piece, seconds, JOB_HINT if jobs is not None else "", sandbox_rules
                )
            elif isinstance(piece, str):
                yield Progress(piece)
            elif jobs is not None:
                from ctxe.tools.use_job import start_notice

                yield start_notice(jobs, jobs.adopt(command, piece, is_sandboxed=is_sandboxed), moved=True)


def _begin(workspace: Workspace, jobs: Jobs, command: str, seconds: float) -> Iterator[Progress | ToolOutput]:
    """Start a job and watch its first output. A command that has ended by then is reported like any other."""
    from ctxe.tools.command_result import command_output
    from ctxe.tools.use_job import start_notice, watch_start

    argv, environment, is_sandboxed = _launch(workspace, command)
    job = jobs.start(command, argv, environment, is_sandboxed=is_sandboxed)
    yield from watch_start(job, seconds)
    if (finished := job.running.finished) is None:
        yield start_notice(jobs, job)
    else:
        jobs.forget(job)
        yield command_output(
            workspace.root, command, finished, seconds, sandbox_rules=workspace.sandbox_notice() if is_sandboxed else ""
        )
