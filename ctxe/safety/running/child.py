"""A command below its keeper: started, told to end, and how it ended; a keeper ends all that its command began."""

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
"""How long the keeper may take to end everything before it is killed itself."""


def keeping(argv: Sequence[str], tell: int, life: int) -> list[str]:
    """The command line of a program that is talked with: its streams are its own, and it ends with the pipe ``life``.

    The keeper reports to the descriptor ``tell``, as ``report_of`` reads it; both must be passed on to it.
    """
    return [sys.executable, "-I", "-S", str(KEEPER), f"{tell},{life}", *argv]


def report_of(report: str, name: str) -> int | None:
    """The exit code that a keeper reported, None when it was killed. Raises ToolError when nothing was started."""
    return outcome_of(report, 0, name)[0] if report else None


def started(argv: Sequence[str], cwd: Path, env: Mapping[str, str]) -> tuple[subprocess.Popen[bytes], int]:
    """The keeper with the command below it, and the descriptor that its report is read from.

    Its standard input is the pipe whose end tells it that we have gone. Raises ToolError when it cannot be started.
    """
    told, tell = os.pipe()
    keeper = [sys.executable, "-I", "-S", str(KEEPER), str(tell)]
    try:
        child = subprocess.Popen(
            [*keeper, *argv],
            cwd=cwd,
            env=dict(env),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=(tell,),
            start_new_session=True,
            bufsize=0,
        )
    except (OSError, ValueError) as error:
        os.close(told)
        raise ToolError(f"cannot run {name_of(argv)} in {cwd}: {getattr(error, 'strerror', None) or error}") from error
    finally:
        os.close(tell)
    return child, told


def hang_up(child: subprocess.Popen[bytes]) -> float:
    """Tell the keeper to end everything; by when it should have."""
    _close(child.stdin)
    return time.monotonic() + GRACE_SECONDS


def end(child: subprocess.Popen[bytes]) -> None:
    """Leave nothing behind: the keeper is asked, waited for, and killed if it does not answer."""
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
    """Exit code and number of processes left, from the keeper's report. Raises ToolError when nothing was started."""
    words = (report.splitlines() or [""])[0].split()
    match words:
        case ["error", number, _]:
            raise ToolError(f"cannot run {name}: {os.strerror(int(number))}")
        case ["exit", code, left]:
            return int(code), int(left)
        case _:
            return keeper or -9, 0


def name_of(argv: Sequence[str]) -> str:
    """What a command is called in an error."""
    return str(argv[0])[:200] if argv else "nothing"
