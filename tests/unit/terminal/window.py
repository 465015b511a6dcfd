"""A pseudo-terminal in this process whose screen can be read as a person would see it."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import termios
import threading
import time
from collections.abc import Callable
from typing import Self

import pyte

from ctxe.terminal.screen import Screen, detect


class Window:
    """``screen`` draws on it, ``text`` is all text ever shown, ``raw`` every byte, ``type`` presses keys."""

    def __init__(self, columns: int = 60, rows: int = 20, **environ: str) -> None:
        self.columns, self.raw, self._typed, self._drawn = columns, b"", 0, 0
        self.parent, child = pty.openpty()
        self.pyte = pyte.HistoryScreen(columns, rows, history=5_000)
        self.stream = pyte.ByteStream(self.pyte)
        self.resize(columns, rows)
        self.out = os.fdopen(os.dup(child), "w", encoding="utf-8")
        self.keys = os.fdopen(child, encoding="utf-8")
        self.screen: Screen = detect(self.keys, self.out, self.out, {"TERM": "xterm-256color", **environ})
        self.thread = threading.Thread(target=self._read, daemon=True)

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.out.close()
        self.keys.close()
        self.thread.join(5)
        os.close(self.parent)

    def _read(self) -> None:
        while True:
            try:
                data = os.read(self.parent, 65_536)
            except OSError:
                return
            self.raw += data
            self.stream.feed(data)
            self._drawn = len(self.raw)

    def resize(self, columns: int, rows: int) -> None:
        self.pyte.resize(rows, columns)
        fcntl.ioctl(self.parent, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, text: str) -> None:
        self._typed = len(self.raw)
        os.write(self.parent, text.encode())

    def type_when(self, seen: str, text: str) -> threading.Thread:
        """Press keys as soon as a text appears below the current output."""
        before = self.text.count(seen)

        def later() -> None:
            self.wait(lambda now: now.count(seen) > before)
            time.sleep(0.05)
            self.type(text)

        thread = threading.Thread(target=later, daemon=True)
        thread.start()
        return thread

    def type_when_asked(self, text: str) -> None:
        """Press keys once output has come and settled, when the program reads them."""

        def later() -> None:
            self.answered()
            self.type(text)

        threading.Thread(target=later, daemon=True).start()

    def ready(self) -> None:
        """Wait until the input line takes keys: it enables bracketed paste once the terminal is in raw mode."""
        self.wait(lambda _: self.raw.rfind(b"\x1b[?2004h") > self.raw.rfind(b"\x1b[?2004l"))

    def type_when_ready(self, text: str) -> None:
        """Press keys once the input line takes them."""

        def later() -> None:
            self.ready()
            self.type(text)

        threading.Thread(target=later, daemon=True).start()

    @property
    def text(self) -> str:
        past = ["".join(row[x].data for x in range(self.columns)).rstrip() for row in list(self.pyte.history.top)]
        return "\n".join([*past, *(row.rstrip() for row in self.pyte.display)]).rstrip()

    def settled(self) -> str:
        """The visible text once output has settled and pyte, which may lag behind, has drawn all of it."""
        before = -1
        while before != len(self.raw) or self._drawn != before or select.select([self.parent], [], [], 0)[0]:
            before = len(self.raw)
            time.sleep(0.05)
        return self.text

    def answered(self, seconds: float = 10) -> None:
        """Wait until output has come after the last keys and settled, so that the next question is shown."""
        before, quiet, limit = self._typed, time.monotonic(), time.monotonic() + seconds
        while time.monotonic() < limit and not (len(self.raw) > self._typed and time.monotonic() - quiet > 0.3):
            if len(self.raw) != before:
                before, quiet = len(self.raw), time.monotonic()
            time.sleep(0.02)

    def drawn(self, seconds: float) -> bool:
        """Wait for output after the last keys; returns whether any came."""
        limit = time.monotonic() + seconds
        while len(self.raw) == self._typed and time.monotonic() < limit:
            time.sleep(0.02)
        return len(self.raw) > self._typed

    def insist(self, text: str, times: int = 10) -> None:
        """Press keys, and repeat until output shows that they were read: keys typed before a question are discarded."""
        for _ in range(times):
            self.type(text)
            if self.drawn(2):
                return

    def wait(self, fits: Callable[[str], bool], seconds: float = 30) -> str:
        limit = time.monotonic() + seconds
        while time.monotonic() < limit:
            if fits(self.text):
                return self.text
            time.sleep(0.01)
        raise AssertionError(f"never seen; the screen:\n{self.text}")
