"""Running a command, limited in time and output; no process it started outlives it or us."""

from __future__ import annotations

import codecs
import contextlib
import os
import selectors
import subprocess
import time
from collections import deque
from collections.abc import Callable, Generator, Mapping, Sequence
from pathlib import Path

from ctxe.domain.value import dataclass
from ctxe.safety.running.child import end, hang_up, name_of, outcome_of, started

PIECE = 65_536
FLOOD = 256_000_000
"""Bytes of output above which a command is ended before its time limit."""
CHECK_SECONDS = 0.2
"""How often ``leave`` is called for a command that may become a job."""
HANDED_ON = "handed on"


@dataclass(frozen=True, slots=True)
class Finished:
    """How a command ended. ``exit_code`` is negative for a signal; ``output`` is both streams in the order they came.

    ``omitted`` counts the bytes that were dropped from the middle, ``left`` the processes that had to be ended after
    the command, ``seconds`` the time it took. ``ended`` is the reason if we ended it, else empty.
    """

    exit_code: int
    output: str
    omitted: int = 0
    left: int = 0
    seconds: float = 0.0
    ended: str = ""

    @property
    def timed_out(self) -> bool:
        """Whether the time limit ended it."""
        return self.ended == "time limit"


@dataclass(frozen=True, slots=True)
class HandedOn:
    """A command that continues as a job: its new owner must read ``child`` to its end, then the descriptor ``report``.

    ``output`` is the output so far, whose last character may be incomplete; ``began`` is its start by
    ``time.monotonic``.
    """

    child: subprocess.Popen[bytes]
    report: int
    output: bytes
    began: float


def run(
    argv: Sequence[str], cwd: Path, env: Mapping[str, str], seconds: float = 120.0, limit: int = 1_000_000
) -> Generator[str | Finished, None, None]:
    """Run a command without a terminal or input; yield its output as it comes, then one Finished.

    At most ``limit`` bytes of output are kept, half from the start and half from the end. After ``seconds``, when the
    iterator is closed, or when this process dies in any way, the command and everything it started are ended within
    two seconds. Close the iterator (``contextlib.closing``) when it is not read to its end. Raises ToolError when the
    command cannot be started.
    """
    with contextlib.closing(run_or_leave(argv, cwd, env, seconds, limit, None)) as pieces:
        for piece in pieces:
            if not isinstance(piece, HandedOn):
                yield piece


def run_or_leave(
    argv: Sequence[str],
    cwd: Path,
    env: Mapping[str, str],
    seconds: float,
    limit: int,
    leave: Callable[[], bool] | None,
) -> Generator[str | Finished | HandedOn, None, None]:
    """``run``, but once ``leave`` returns True it yields HandedOn, not Finished, and the caller owns the command."""
    started_at = time.monotonic()
    child, report_end = started(argv, cwd, env)
    buffer = _Buffer(limit)
    with contextlib.ExitStack() as cleanup:
        cleanup.callback(os.close, report_end)
        cleanup.callback(end, child)
        ended = yield from _relay(child, buffer, started_at + seconds, leave)
        if ended == HANDED_ON:
            cleanup.pop_all()
            yield HandedOn(child, report_end, buffer.content(), started_at)
            return
        end(child)
        with open(report_end, encoding="ascii", errors="replace", closefd=False) as report:
            exit_code, left_over = outcome_of(report.read(), child.returncode, name_of(argv))
    yield Finished(
        exit_code,
        buffer.content().decode("utf-8", "replace"),
        buffer.omitted,
        left_over,
        round(time.monotonic() - started_at, 3),
        ended,
    )


def complete(
    argv: Sequence[str], cwd: Path, env: Mapping[str, str], seconds: float = 20.0, limit: int = 1_000_000
) -> Finished:
    """``run`` to its end. Raises ToolError when the command cannot be started."""
    for piece in run(argv, cwd, env, seconds, limit):
        if isinstance(piece, Finished):
            return piece
    raise AssertionError("run ends with Finished")


def _relay(
    child: subprocess.Popen[bytes], buffer: _Buffer, deadline: float, leave: Callable[[], bool] | None
) -> Generator[str, None, str]:
    """Yield output until the pipe closes. Returns why the command was ended, HANDED_ON, or an empty text."""
    assert child.stdout is not None
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    ended, total = "", 0
    with selectors.DefaultSelector() as selector:
        selector.register(child.stdout, selectors.EVENT_READ)
        while True:
            remaining = deadline - time.monotonic()
            if leave is not None and not ended and leave():
                return HANDED_ON
            # the time limit is checked first, since a command that never stops printing is always ready to read
            if remaining <= 0 or not selector.select(remaining if leave is None else min(remaining, CHECK_SECONDS)):
                if remaining > CHECK_SECONDS and leave is not None:
                    continue
                if ended:
                    break
                ended, deadline = "time limit", hang_up(child)
                continue
            piece = os.read(child.stdout.fileno(), PIECE)
            if not piece:
                break
            total += len(piece)
            buffer.add(piece)
            if total > FLOOD and not ended:
                ended, deadline = "too much output", hang_up(child)
            if text := decoder.decode(piece):
                yield text
    if rest := decoder.decode(b"", final=True):
        yield rest
    return ended


class _Buffer:
    """The first and the last bytes of a stream, and the number of bytes between them."""

    def __init__(self, limit: int) -> None:
        self.half = max(limit // 2, 1)
        self.head = bytearray()
        self.tail: deque[bytes] = deque()
        self.size = 0
        self.omitted = 0

    def add(self, piece: bytes) -> None:
        space = self.half - len(self.head)
        self.head += piece[:space]
        if rest := piece[space:]:
            self.tail.append(rest)
            self.size += len(rest)
        while self.size > self.half:
            first = self.tail.popleft()
            extra = min(self.size - self.half, len(first))
            if extra < len(first):
                self.tail.appendleft(first[extra:])
            self.size -= extra
            self.omitted += extra

    def content(self) -> bytes:
        between = f"\n… {self.omitted} bytes left out …\n".encode() if self.omitted else b""
        return bytes(self.head) + between + b"".join(self.tail)
