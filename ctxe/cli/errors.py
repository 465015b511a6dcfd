"""Errors as the user sees them: one line, a hint, and the exit code of the process."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Callable

from ctxe.domain.errors import CtxeError, StoreError

INTERRUPTED = 130
_WORDS = ' Put words to the model in quotes: ctxe "fix the test"'
EXHAUSTED = {
    errno.EMFILE: "let a process open more files: ulimit -n",
    errno.ENFILE: "close other programs: all of them together have too many files open",
    errno.EAGAIN: "let a user run more processes: ulimit -u",
    errno.ENOMEM: "close other programs, or give this one more memory",
    errno.ENOSPC: "make room on the disk",
    errno.EDQUOT: "make room: your disk quota is used up",
    errno.EROFS: "the disk to write to is read-only",
}
"""Resources that a machine can run out of, with advice for the user."""


def run_reporting_errors(run: Callable[[], object], debug: bool = False) -> int:
    """Run a command and return the exit code of the process. Only a bug leaves a traceback, in a file."""
    from ctxe.terminal.streams import BROKEN_PIPE, end_quietly

    try:
        with end_quietly(sys.stdout, sys.stderr):
            code = run()
    except CtxeError as error:
        print_error(error.message, error.hint)
        return error.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED
    except SystemExit as exit_:
        if isinstance(exit_.__context__, BrokenPipeError):  # raised in Typer's help, which exits with 1
            return BROKEN_PIPE
        return exit_.code if isinstance(exit_.code, int) else 2
    except Exception as error:
        return _report_usage(error) or _report_machine(error) or report_bug(error, debug)
    return code if isinstance(code, int) else 0


def print_error(message: str, hint: str = "") -> None:
    """Print one line and a hint below it to standard error; silent when it cannot be written.

    On a terminal, long lines are wrapped at spaces.
    """
    from ctxe.terminal.style import fold, line

    with contextlib.suppress(OSError, ValueError, AttributeError):
        columns = os.get_terminal_size(sys.stderr.fileno()).columns if sys.stderr.isatty() else None
        unwrapped = [line(f"ctxe: {message}"), *([line(f"      {hint}")] if hint else [])]
        rows = [part for unwrapped_line in unwrapped for part in fold(unwrapped_line, columns or None, "      ")]
        sys.stderr.write("".join("".join(text for text, _ in row) + "\n" for row in rows))


def _report_usage(error: Exception) -> int:
    """Typer's own errors about the command line (exit code 2), shown its way; 0 for any other error."""
    from ctxe.terminal.style import clean

    show, code = getattr(error, "show", None), getattr(error, "exit_code", None)
    if callable(show) and isinstance(code, int):
        # pydantic's prefix of the message
        text = str(getattr(error, "message", "")).removeprefix("Value error, ") + _hint(error)
        vars(error)["message"] = clean(text)
        show()
        return code
    return code if isinstance(code, int) else 0


def _hint(error: Exception) -> str:
    """What to use instead of another tool's option or command, or how to talk to the model for an unknown command."""
    import re

    from ctxe.cli.elsewhere import COMMANDS, OPTIONS

    option, context = getattr(error, "option_name", ""), getattr(error, "ctx", None)
    if option in OPTIONS and hasattr(error, "possibilities") and context is not None and context.info_name == "chat":
        vars(error)["possibilities"] = None
        return f". Here: {OPTIONS[option]}"
    unknown = re.fullmatch(r"No such command '([^']*)'\.", str(getattr(error, "message", "")))
    if not unknown or context is None or context.parent is not None:
        return ""
    return f" Here: {COMMANDS[unknown[1]]}" if unknown[1] in COMMANDS else _WORDS


def _report_machine(error: Exception) -> int:
    """Report a file name that is too long, or a resource that the machine has run out of; 0 for any other error."""
    if isinstance(error, MemoryError):
        error = OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))
    if not isinstance(error, OSError):
        return 0
    if error.errno == errno.ENAMETOOLONG:
        print_error(
            f"no file has a name of {len(str(error.filename)):,} characters", "check what you gave as a file or an id"
        )
    elif error.errno in EXHAUSTED:
        print_error(f"this machine refuses more: {error.strerror}", EXHAUSTED[error.errno])
    else:
        return 0
    return StoreError.exit_code


def report_bug(error: Exception, debug: bool) -> int:
    """Report a bug in one line with the file that has the stack, or with ``debug`` the traceback; returns 1."""
    import tempfile
    import traceback

    if debug:
        traceback.print_exception(error)
        return 1
    advice = "start it again with --debug to see it"
    with contextlib.suppress(OSError):
        handle, name = tempfile.mkstemp(prefix="ctxe-bug-", suffix=".log")
        with os.fdopen(handle, "w", encoding="utf-8", errors="replace") as file:
            # Only the stack: messages of exceptions may contain keys or file content.
            file.writelines(traceback.format_tb(error.__traceback__))
            file.write(type(error).__name__ + "\n")
        advice = f"please report it with {name}"
    print_error(f"a bug in ctxe: {type(error).__name__}", advice)
    return 1
