"""A command in the background, whose output is read in parts, with limited memory."""

from __future__ import annotations

import codecs
import os
import selectors
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from ctxe.domain.errors import ToolError
from ctxe.domain.value import dataclass, field
from ctxe.safety.running.child import GRACE_SECONDS, end, hang_up, name_of, outcome_of, started
from ctxe.safety.running.process import FLOOD, PIECE, Finished, HandedOn

MOST_KEPT = 400_000
"""Newest characters of output that are kept."""
PACE = 4_000_000
"""Most bytes read per second; a faster command has to wait, so that it costs us little processor time."""
CHECK_SECONDS = 0.5
"""How often to check on a command without output."""
PARTIAL_SECONDS = 0.5
"""Silence after which an unfinished last line is given: earlier it may end inside a key, which is then not masked."""

SMALL = 4_096
"""Characters below which pieces of output are joined."""
NOT_FOUND = 127
_UTF8 = codecs.getincrementaldecoder("utf-8")


@dataclass(slots=True)
class Background:
    """A background command. Positions in its output are characters from its beginning; the oldest ones are dropped.

    ``finished`` tells how it ended, with the kept output; None while it runs. A thread reads it; when this process dies
    in any way, the keeper ends the command.
    """

    name: str
    child: subprocess.Popen[bytes]
    report: int
    began: float = field(default_factory=time.monotonic)
    finished: Finished | None = None
    why: str = ""
    last_output: float = 0.0
    end: int = 0
    lines: int = 0
    _pieces: deque[str] = field(default_factory=deque)
    _dropped: int = 0
    _output_changed: threading.Condition = field(default_factory=threading.Condition)
    _decoder: codecs.IncrementalDecoder = field(default_factory=lambda: _UTF8("replace"))

    @property
    def seconds(self) -> float:
        """How long it has been running, or ran."""
        return self.finished.seconds if self.finished else time.monotonic() - self.began

    def since(self, start: int, *, whole: bool = False) -> tuple[str, int, int]:
        """(output from position ``start`` on, the position after it, the number of characters dropped before it).

        While it runs, an unfinished last line is held back for at most ``PARTIAL_SECONDS``, unless ``whole``.
        """
        with self._output_changed:
            text, first = "".join(self._pieces), self._dropped
            may_be_incomplete = self.finished is None and time.monotonic() - self.last_output < PARTIAL_SECONDS
        start = max(start, 0)
        text, dropped = text[max(start - first, 0) :], max(first - start, 0)
        if may_be_incomplete and not whole:
            text = text[: text.rfind("\n") + 1]
        return text, max(start, first) + len(text), dropped

    def wait(self, seconds: float, enough: Callable[[], bool] = lambda: False) -> bool:
        """Wait for its end or for ``enough``, checked at each piece of output. False when ``seconds`` passed first."""
        deadline = time.monotonic() + seconds
        while True:
            if self.finished is not None or enough():
                return True
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                return False
            with self._output_changed:
                if self.finished is None:
                    self._output_changed.wait(min(remaining, CHECK_SECONDS))

    def stop(self, why: str = "stopped") -> None:
        """End it with all processes it started, and wait until that is done, within some three seconds."""
        self.tell_to_end(why)
        self.wait(2 * GRACE_SECONDS)

    def tell_to_end(self, why: str = "stopped") -> None:
        """Begin to end it, without waiting."""
        if self.finished is None:
            self.why = self.why or why
            hang_up(self.child)

    def follow(self) -> None:
        """Read it to its end; runs in its thread."""
        assert self.child.stdout is not None
        total, deadline = 0, 0.0
        with selectors.DefaultSelector() as selector:
            selector.register(self.child.stdout, selectors.EVENT_READ)
            while True:
                ready = selector.select(CHECK_SECONDS)
                deadline = deadline or (time.monotonic() + GRACE_SECONDS if self.why else 0.0)
                piece = os.read(self.child.stdout.fileno(), PIECE) if ready else b""
                if (ready and not piece) or (deadline and time.monotonic() > deadline):
                    break
                total += len(piece)
                self.add(piece)
                if total > FLOOD:
                    self.tell_to_end("too much output")
                time.sleep(len(piece) / PACE if len(piece) > PIECE // 4 else 0.0)
        self.add(b"", final=True)
        self._settle()

    def _settle(self) -> None:
        end(self.child)
        with open(self.report, encoding="ascii", errors="replace") as report:  # noqa: PTH123 (a descriptor has no path)
            try:
                code, left_over = outcome_of(report.read(), self.child.returncode, self.name)
            except ToolError as error:
                self.add(f"{error}\n".encode())
                code, left_over = NOT_FOUND, 0
        with self._output_changed:
            text, seconds = "".join(self._pieces), round(time.monotonic() - self.began, 3)
            self.finished = Finished(code, text, self._dropped, left_over, seconds, self.why)
            self._output_changed.notify_all()

    def add(self, piece: bytes, *, final: bool = False) -> None:
        """Add output; an incomplete character at the end waits for the rest unless this is ``final``."""
        text = self._decoder.decode(piece, final)
        if not text:
            return
        with self._output_changed:
            if self._pieces and len(self._pieces[-1]) < SMALL:
                self._pieces[-1] += text
            else:
                self._pieces.append(text)
            self.end += len(text)
            self.lines += text.count("\n")
            self.last_output = time.monotonic()
            while self.end - self._dropped > MOST_KEPT:
                self._dropped += len(self._pieces.popleft())
            self._output_changed.notify_all()


def take(command: HandedOn, name: str) -> Background:
    """Continue a command that was handed on, reading it in a thread."""
    running = Background(name, command.child, command.report, command.began)
    running.add(command.output)
    return _start_reading(running)


def start(argv: Sequence[str], cwd: Path, env: Mapping[str, str]) -> Background:
    """Start a command without a terminal or input, and read it in a thread. Raises ToolError when it cannot start."""
    child, report = started(argv, cwd, env)
    return _start_reading(Background(name_of(argv), child, report))


def _start_reading(running: Background) -> Background:
    threading.Thread(target=running.follow, name="job", daemon=True).start()
    return running
