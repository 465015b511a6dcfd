"""Starting a command under a keeper, ending it, and reading how it ended."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from ctxe.domain.errors import ToolError

KEEPER = Path(__file__).with_name("keeper.py")
GRACE_SECONDS = 2.5
"""How long the keeper may take to end all processes before it is killed itself."""


def keeping(argv: Sequence[str], report: int, life_pipe: int) -> list[str]:
    """The command line of a program with its own standard streams, which is ended when ``life_pipe`` closes.

    The keeper writes a report, for ``report_of``, to the descriptor ``report``; both must be passed to the process.
    """
    return [sys.executable, "-I", "-S", str(KEEPER), f"{report},{life_pipe}", *argv]


def report_of(report: str, name: str) -> int | None:
    """The exit code in a keeper's report; None when the keeper was killed. Raises ToolError when exec failed."""
    return outcome_of(report, 0, name)[0] if report else None


def started(argv: Sequence[str], cwd: Path, env: Mapping[str, str]) -> tuple[subprocess.Popen[bytes], int]:
    """Start a command under a keeper: the keeper's process, and the descriptor of its report.

    The keeper's standard input is the pipe that tells it when we end. Raises ToolError when it cannot be started.
    """
    report, report_end = os.pipe()
    keeper = [sys.executable, "-I", "-S", str(KEEPER), str(report_end)]
    try:
        child = subprocess.Popen(
            [*keeper, *argv],
            cwd=cwd,
            env=dict(env),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=(report_end,),
            start_new_session=True,
            bufsize=0,
        )
    except (OSError, ValueError) as error:
        os.close(report)
        raise ToolError(f"cannot run {name_of(argv)} in {cwd}: {getattr(error, 'strerror', None) or error}") from error
    finally:
        os.close(report_end)
    return child, report


def hang_up(child: subprocess.Popen[bytes]) -> float:
    """Tell the keeper to end all processes. Returns the time.monotonic() by which it should be done."""
    _close(child.stdin)
    return time.monotonic() + GRACE_SECONDS


def end(child: subprocess.Popen[bytes]) -> None:
    """End all processes: tell the keeper, wait for it, and kill it when it does not exit."""
    hang_up(child)
    try:
        child.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            child.kill()
        child.wait()
    finally:
        _close(child.stdout)


def _close(stream: IO[bytes] | None) -> None:
    if stream is not None:
        with contextlib.suppress(OSError):
            stream.close()


def outcome_of(report: str, keeper: int, name: str) -> tuple[int, int]:
    """(exit code, number of processes that were left) from the keeper's report. Raises ToolError when exec failed."""
    words = (report.splitlines() or [""])[0].split()
    match words:
        case ["error", number, _]:
            raise ToolError(f"cannot run {name}: {os.strerror(int(number))}")
        case ["exit", code, left_over]:
            return int(code), int(left_over)
        case _:
            return keeper or -9, 0


def name_of(argv: Sequence[str]) -> str:
    """The name of a command for error messages."""
    return str(argv[0])[:200] if argv else "nothing"
