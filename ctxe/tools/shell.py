"""run_command: a shell command in the root, bounded in time and output, with facts about how it went."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from ctxe.domain.errors import ToolError
from ctxe.domain.tool import Action, Progress, Risk, Tool, ToolOutput
from ctxe.safety.display import strip_sequences
from ctxe.safety.process import Finished, run
from ctxe.safety.programs import find_program
from ctxe.tools.arguments import checked
from ctxe.tools.prose import COUNT, STRING, describe
from ctxe.tools.workspace import Workspace

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
LONG = 5.0
"""Seconds from which on the result says how long a command took."""


def run_command(workspace: Workspace) -> Tool:
    """The tool. The result is both streams in the order they came, then ``[exit 0]`` or why the command was ended."""
    schema = describe("run_command", {"command": STRING, "seconds": COUNT}, ("command",))

    def prepare(arguments: Mapping[str, Any]) -> Action:
        given = checked(schema, arguments)
        command = given["command"]
        if not command.strip():
            raise ToolError("command is empty")
        if "\0" in command:
            raise ToolError("command holds a NUL character")
        limits = workspace.limits
        seconds = float(min(given.get("seconds", limits.command_seconds), limits.most_seconds))
        return Action(
            "run_command",
            f"run {command.strip().splitlines()[0][:120]}",
            Risk.EXECUTE,
            partial(_run, workspace, command, seconds),
            preview=command,
            shows="command",
            command=command,
        )

    return Tool(schema, Risk.EXECUTE, prepare)


def _run(workspace: Workspace, command: str, seconds: float) -> Iterator[Progress | ToolOutput]:
    shell = find_program("bash", workspace.root, workspace.search) or find_program("sh", workspace.root)
    if shell is None:
        raise ToolError("there is no shell on this system outside of the project")
    argv = workspace.sandboxed([str(shell), "-c", command])
    environment = {**workspace.environment, **QUIET, "PWD": str(workspace.root)}
    with contextlib.closing(run(argv, workspace.root, environment, seconds, workspace.limits.text)) as pieces:
        for piece in pieces:
            if isinstance(piece, Finished):
                yield _output(workspace, command, seconds, piece)
            else:
                yield Progress(piece)


def _output(workspace: Workspace, command: str, seconds: float, done: Finished) -> ToolOutput:
    from ctxe.tools.outcome import outcome

    text = done.output.rstrip("\n")
    ok = done.exit_code == 0 and not done.ended
    facts = outcome(
        command,
        None if done.ended else done.exit_code,
        strip_sequences(done.output),
        str(workspace.root),
        done.seconds,
    )
    if done.ended:
        facts["timed_out"] = done.timed_out
    asked = "" if ok or not ASKED.search(text[-TAIL:]) else ASKS
    words = f"{text}\n{_ending(seconds, done, asked)}" if text else f"(no output) {_ending(seconds, done, asked)}"
    return ToolOutput(words, ok, kind="shell", facts=facts)


def _ending(seconds: float, done: Finished, asked: str = "") -> str:
    """How the command ended, and what it left running."""
    match done:
        case Finished(ended="time limit"):
            how = f"ended after {seconds:.0f} s, the time limit; it may be raised by seconds"
        case Finished(ended=why) if why:
            how = f"ended: {why}"
        case Finished(exit_code=code) if code < 0:
            how = f"ended by signal {-code}"
        case Finished(exit_code=code):
            how = f"exit {code}" + (f", {done.seconds:.0f} s" if done.seconds >= LONG else "")
    many = "es were" if done.left != 1 else " was"
    left = f"; {done.left} background process{many} ended too" if done.left and not done.ended else ""
    return f"[{how}{asked}{left}]"
