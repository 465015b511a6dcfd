"""The result of a command: both output streams as they came, then ``[exit 0]`` or the reason why it ended."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ctxe.domain.pattern import pattern
from ctxe.domain.tool import ToolOutput
from ctxe.safety.display import strip_sequences

if TYPE_CHECKING:
    from ctxe.safety.running.process import Finished

INPUT_WANTED = pattern(
    r"EOFError|EOF when reading|not (?:from )?a (?:tty|terminal|TTY)|[Ii]nappropriate ioctl|no tty present"
    r"|a terminal is required|could not read (?:Username|Password)|Error reading input"
)
"""Messages of programs that wanted input."""
INPUT_HINT = "; it wanted input and there is none: give it as options, a file or a pipe"
DENIED = pattern(
    r"[Pp]ermission denied|Read-only file system|Operation not permitted|PermissionError|\b(?:EACCES|EPERM|EROFS)\b"
    r"|Network is unreachable|[Cc]ould not resolve|[Nn]ame resolution|\b(?:EAI_AGAIN|ENOTFOUND|ENETUNREACH)\b"
    r"|could not create parent directories"
)
"""Messages of programs that a sandbox may have stopped."""
EXPECTATION_ERRORS = ("AssertionError", "AssertionFailedError", "ExpectationNotMetError", "FAIL", "Failed")
"""Error classes by which tests report an unexpected result."""
TAIL_CHARACTERS = 2_000
"""Characters at the end of the output that are searched for such messages."""
LONG_SECONDS = 5.0
"""Seconds above which the result says how long a command took."""


def command_output(
    root: Path, command: str, finished: Finished, limit: float = 0.0, job_hint: str = "", sandbox_rules: str = ""
) -> ToolOutput:
    """The result of a command that ended. ``limit`` is its time limit in seconds.

    ``job_hint`` is for a command that was stopped or left processes running. ``sandbox_rules`` describes what its
    sandbox allows, for a model whose command was probably stopped by it; empty without a sandbox.
    """
    from ctxe.tools.outcomes.outcome import outcome
    from ctxe.tools.outcomes.place import located

    text = finished.output.rstrip("\n")
    ok = finished.exit_code == 0 and not finished.ended
    facts = outcome(
        command,
        None if finished.ended else finished.exit_code,
        strip_sequences(finished.output),
        str(root),
        finished.seconds,
    )
    if error := facts.get("error"):
        error["file"] = located(root, command, error["file"])
    if finished.ended:
        facts["timed_out"] = finished.timed_out
    hints = "" if ok or not INPUT_WANTED.search(text[-TAIL_CHARACTERS:]) else INPUT_HINT
    if sandbox_rules and not ok and DENIED.search(text[-TAIL_CHARACTERS:]):
        if not _expected(facts):
            facts["walled"] = True
        hints += f"; {sandbox_rules}: ask the user to run what needs more"
    ending = _ending(limit, finished, hints, job_hint)
    words = f"{text}\n{ending}" if text else f"(no output) {ending}"
    return ToolOutput(words, ok, kind="shell", facts=facts)


def _expected(facts: dict[str, Any]) -> bool:
    """Whether the project's tests failed on an expectation: a message about denied access may be part of them then."""
    test_error = facts.get("tests", {}).get("failed") and facts.get("error")
    return bool(test_error) and facts["error"]["class"] in EXPECTATION_ERRORS


def _ending(seconds: float, finished: Finished, hints: str = "", job_hint: str = "") -> str:
    """The last line: how the command ended, and whether background processes were ended with it."""
    from ctxe.safety.running.process import Finished

    match finished:
        case Finished(ended="time limit"):
            more = job_hint and f", {job_hint}"
            ending = f"ended after {seconds:.0f} s, the time limit; it may be raised by seconds{more}"
        case Finished(ended=reason) if reason:
            ending = f"ended: {reason}"
        case Finished(exit_code=code) if code < 0:
            ending = f"ended by signal {-code}"
        case Finished(exit_code=code):
            ending = f"exit {code}" + (f", {finished.seconds:.0f} s" if finished.seconds >= LONG_SECONDS else "")
    verb = "es were" if finished.left != 1 else " was"
    job_hint = job_hint and f": {job_hint}"
    background = (
        f"; {finished.left} background process{verb} ended too{job_hint}"
        if finished.left and not finished.ended
        else ""
    )
    return f"[{ending}{hints}{background}]"
