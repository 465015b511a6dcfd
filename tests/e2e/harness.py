"""Runs the real ``ctxe`` process: headless, or in a real pseudo-terminal whose screen can be read."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pexpect
import pyte

from ctxe.project import Project
from tests.e2e import warm
from tests.e2e.spawned import in_a_terminal
from tests.repositories import git as git  # noqa: PLC0414 -- said twice, it is exported
from tests.repositories import repository as repository  # noqa: PLC0414

KEY = "sk-test-0123456789abcdefghijklmnopqrstuvwxyz"


def environment(home: Path, **more: str) -> dict[str, str]:
    """A minimal environment with the test's home folder."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "TERM": "xterm-256color",
        "LANG": "C.UTF-8",
        "GIT_CONFIG_GLOBAL": str(home / ".gitconfig"),
        "GIT_CONFIG_NOSYSTEM": "1",
        **more,
    }


def openai_at(url: str) -> dict[str, str]:
    """Variables that point the OpenAI provider at a server on loopback."""
    return {"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": f"{url}/v1", "CTXE_MODEL": "openai/gpt-5"}


def anthropic_at(url: str) -> dict[str, str]:
    """Variables that point the Anthropic provider at a server on loopback."""
    return {"ANTHROPIC_API_KEY": KEY, "ANTHROPIC_BASE_URL": url, "CTXE_MODEL": "anthropic/claude-sonnet-4-5"}


@dataclass(frozen=True)
class Ran:
    """How a process ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as JSON."""
        return json.loads(self.out)


def ctxe(folder: Path, env: Mapping[str, str], *words: str, stdin: str | None = None, seconds: float = 60) -> Ran:
    """Run ``ctxe`` to its end, without a terminal."""
    done = subprocess.run(
        [*warm.begin(env), *words],
        cwd=folder,
        env=dict(env),
        input=stdin,
        stdin=subprocess.DEVNULL if stdin is None else None,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


def own_cache(folder: Path, env: Mapping[str, str]) -> Path:
    """The folder below .ctxe/cache that ctxe trusts, for the user of this environment."""
    return Project.open(folder, env).own_cache


@dataclass
class Terminal:
    """``ctxe`` in a pseudo-terminal; ``screen`` is the visible text, ``raw`` every byte received.

    With ``anew`` its start is a person's own, import by import; else a run that asks a model has all modules loaded.
    """

    folder: Path
    env: Mapping[str, str]
    words: tuple[str, ...]
    columns: int = 100
    rows: int = 40
    anew: bool = False
    raw: str = ""
    child: Any = field(init=False)

    def __enter__(self) -> Terminal:
        self._screen = pyte.HistoryScreen(self.columns, self.rows, history=5000, ratio=0.5)
        self._stream = pyte.Stream(self._screen)
        self.child = in_a_terminal(self.words, self.folder, self.env, (self.rows, self.columns), anew=self.anew)
        return self

    def __exit__(self, *_: object) -> None:
        self.child.close(force=True)

    def type(self, text: str) -> None:
        """Send keys unchanged, without Enter."""
        self.child.send(text)

    def ready(self) -> None:
        """Wait until the input line takes keys: it has enabled bracketed paste and has not ended."""
        self.wait(lambda _: self.raw.rfind("\x1b[?2004h") > self.raw.rfind("\x1b[?2004l"))
        self.settle(0.2)

    def leave(self) -> None:
        """End the session with Ctrl-D once the output has settled."""
        self.settle()
        self.type("\x04")
        assert self.ended() == 0

    def hang_up(self, seconds: float = 10) -> None:
        """Close the window, which hangs up the process."""
        self.child.hang_up()
        limit = time.monotonic() + seconds
        while self.child.isalive() and time.monotonic() < limit:
            time.sleep(0.05)
        assert not self.child.isalive(), f"still running:\n{self.screen}"

    def enter(self, text: str) -> None:
        """Type a line and press Enter."""
        self.child.send(text)
        self.settle(0.15)
        self.child.send("\r")

    def settle(self, seconds: float = 0.3) -> None:
        """Read until no output has come for the given time."""
        quiet = time.monotonic() + seconds
        while time.monotonic() < quiet:
            if self._read(0.05):
                quiet = time.monotonic() + seconds

    def _read(self, seconds: float) -> bool:
        try:
            came = self.child.read_nonblocking(65536, seconds)
        except pexpect.TIMEOUT:
            return False
        except pexpect.EOF:
            time.sleep(min(seconds, 0.02))
            return False
        self.raw += came
        if "\x1b[6n" in came:
            self.child.send(f"\x1b[{self._screen.cursor.y + 1};{self._screen.cursor.x + 1}R")
        self._stream.feed(came)
        return True

    @property
    def screen(self) -> str:
        """Every line ever on the screen, scrolled off or not, without trailing blanks."""
        past = ["".join(line[x].data for x in range(self.columns)).rstrip() for line in self._screen.history.top]
        return "\n".join([*past, *(line.rstrip() for line in self._screen.display)]).rstrip()

    def wait(self, wanted: str | Callable[[str], bool], seconds: float = 30) -> str:
        """Read until a pattern is on the screen and return the screen. Raises AssertionError with its text."""
        fits = wanted if callable(wanted) else lambda text: re.search(wanted, text) is not None
        limit = time.monotonic() + seconds
        while time.monotonic() < limit:
            self._read(0.05)
            if fits(self.screen):
                return self.screen
        raise AssertionError(f"{wanted!r} never stood on the screen:\n{self.screen}")

    def ended(self, seconds: float = 10) -> int:
        """Wait for the process to end and return its exit code."""
        limit = time.monotonic() + seconds
        while self.child.isalive() and time.monotonic() < limit:
            self._read(0.05)
        assert not self.child.isalive(), f"still running:\n{self.screen}"
        while self._read(0.05):
            pass  # what it wrote last may still be in the terminal
        self.child.close()
        return int(self.child.exitstatus if self.child.exitstatus is not None else 128 + self.child.signalstatus)
