"""Runs ctxe as the leader of a pseudo-terminal, started as a person does or forked with all modules loaded."""

from __future__ import annotations

import os
import select
import signal
import sys
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pexpect
from pexpect import fdpexpect

from tests.e2e import warm

AS_TEXT: dict[str, Any] = {"encoding": "utf-8", "codec_errors": "replace", "timeout": 30}
AS_TYPED = 0.05  # seconds, as pexpect.spawn waits before it sends
PATIENCE = 0.3  # seconds that a run has to end by itself after its terminal went


class Started(pexpect.spawn):  # type: ignore[misc]  # pexpect is untyped
    """A newly started process, which imports everything itself."""

    def __init__(self, words: Sequence[str], folder: Path, env: Mapping[str, str], size: tuple[int, int]) -> None:
        super().__init__(
            sys.executable, ["-m", "ctxe", *words], cwd=str(folder), env=dict(env), dimensions=size, **AS_TEXT
        )

    def hang_up(self) -> None:
        """Take the terminal away."""
        self.ptyproc.fileobj.close()


class Forked(fdpexpect.fdspawn):  # type: ignore[misc]
    """A process forked with the SDKs already loaded (see warm.py)."""

    def __init__(self, words: Sequence[str], folder: Path, env: Mapping[str, str], size: tuple[int, int]) -> None:
        ours, theirs = os.openpty()
        super().__init__(ours, **AS_TEXT)
        self.setwinsize(*size)
        self._run = warm.fork(words, folder, env, theirs)
        os.close(theirs)
        self._told = self._run.makefile()
        self.pid = int(self._told.readline())

    def setwinsize(self, rows: int, columns: int) -> None:
        """Resize the terminal and signal it, as a window does."""
        termios.tcsetwinsize(self.child_fd, (rows, columns))

    def send(self, text: str) -> int:
        """Send keys a moment after the last ones; keys that arrive at once are taken for a paste."""
        time.sleep(AS_TYPED)
        return int(super().send(text))

    def isalive(self) -> bool:
        """Whether the process still runs; records its status when it has ended."""
        return not self._told.closed and not self._ended(0)

    def wait(self) -> None:
        """Wait until the process has ended."""
        while not self._told.closed:
            self._ended(None)

    def kill(self, number: int) -> None:
        """Send it a signal."""
        os.kill(self.pid, number)

    def hang_up(self) -> None:
        """Take the terminal away."""
        super().close()

    def close(self, force: bool = True) -> None:
        """Take the terminal away, and kill the process if it survives that."""
        self.hang_up()
        if force and self.isalive() and not self._ended(PATIENCE):
            self.kill(signal.SIGKILL)
            self.wait()

    def _ended(self, seconds: float | None) -> bool:
        if not select.select([self._run], [], [], seconds)[0]:
            return False
        status = int(self._told.readline())
        self._told.close()
        self._run.close()
        self.exitstatus = os.WEXITSTATUS(status) if os.WIFEXITED(status) else None
        self.signalstatus = os.WTERMSIG(status) if os.WIFSIGNALED(status) else None
        return True


def in_a_terminal(
    words: Sequence[str], folder: Path, env: Mapping[str, str], size: tuple[int, int], *, anew: bool
) -> Started | Forked:
    """A run of ctxe in a terminal of so many rows and columns, begun anew or where nothing stands against it forked."""
    return (Forked if warm.serves(env) and not anew else Started)(words, folder, env, size)
