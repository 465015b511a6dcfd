"""The result of a command: both output streams in the order they came, then ``[exit 0]`` or why it ended."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ctxe.domain.pattern import pattern
from ctxe.domain.tool import ToolOutput
from ctxe.safety.display import strip_sequences

if TYPE_CHECKING:
    from ctxe.safety.running.process import Finished

ASKED = pattern(
    r"EOFError|EOF when reading|not (?:from )?a (?:tty|terminal|TTY)|[Ii]nappropriate ioctl|no tty present"
    r"|a terminal is required|could not read (?:Username|Password)|Error reading input"
)
"""Messages of programs that wanted input."""
ASKS = "; it wanted input and there is none: give it as options, a file or a pipe"
WALLED = pattern(
    r"[Pp]ermission denied|Read-only file system|Operation not permitted|PermissionError|\b(?:EACCES|EPERM|EROFS)\b"
    r"|Network is unreachable|[Cc]ould not resolve|[Nn]ame resolution|\b(?:EAI_AGAIN|ENOTFOUND|ENETUNREACH)\b"
    r"|could not create parent directories"
)
"""Messages of programs that a sandbox may have stopped."""
EXPECTING = ("AssertionError", "AssertionFailedError", "ExpectationNotMetError", "FAIL", "Failed")
"""Error classes by which tests report an unexpected result."""
TAIL = 2_000
"""Characters at the end of the output in which such messages are looked for."""
LONG = 5.0
"""Seconds above which the result says how long a command took."""


def command_output(
    root: Path, command: str, done: Finished, limit: float = 0.0, more: str = "", walls: str = ""
) -> ToolOutput:
    """The result of a command that ended. ``limit`` is its time limit in seconds.

    ``more`` is a hint for a command that was stopped or left processes running. ``walls`` describes what its sandbox
    allows, for a model whose command was probably stopped by it; empty without a sandbox.
    """
    from ctxe.tools.outcomes.outcome import outcome
    from ctxe.tools.outcomes.place import located

    text = done.output.rstrip("\n")
    ok = done.exit_code == 0 and not done.ended
    facts = outcome(
        command,
        None if done.ended else done.exit_code,
        strip_sequences(done.output),
        str(root),
        done.seconds,
    )
    if error := facts.get("error"):
        error["file"] = located(root, command, error["file"])
    if done.ended:
        facts["timed_out"] = done.timed_out
    asked = "" if ok or not ASKED.search(text[-TAIL:]) else ASKS
    if walls and not ok and WALLED.search(text[-TAIL:]):
        if not _expected(facts):
            facts["walled"] = True
        asked += f"; {walls}: ask the user to run what needs more"
    how = _ending(limit, done, asked, more)
    words = f"{text}\n{how}" if text else f"(no output) {how}"
    return ToolOutput(words, ok, kind="shell", facts=facts)


def _expected(facts: dict[str, Any]) -> bool:
    """Whether the project's tests failed on an expectation: a message about denied access may be part of them then."""
    named = facts.get("tests", {}).get("failed") and facts.get("error")
    return bool(named) and facts["error"]["class"] in EXPECTING


def _ending(seconds: float, done: Finished, asked: str = "", more: str = "") -> str:
    """The last line: how the command ended, and whether background processes were ended with it."""
    from ctxe.safety.running.process import Finished

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
