"""Ctrl-C: once ends the running turn and keeps its output so far, twice within two seconds leaves with 130."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from types import FrameType, GeneratorType
from typing import Any

from ctxe.domain.events import Event
from ctxe.terminal.input import keyboard
from ctxe.terminal.screen import Clock, Screen
from ctxe.terminal.streams import abandon, write

TWICE = 2.0  # seconds within which a second press leaves
INTERRUPTED = 130
RESET = "\x1b[0m\x1b[?25h\x1b[?2004l"  # no colour, cursor shown, bracketed paste off


class Interrupts:
    """The SIGINT handler. While ``deferred`` it waits so that no drawing is torn. ``by_escape``: it was Escape."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self.clock = clock
        self.last = float("-inf")
        self.holding = self.gently = self.by_escape = False
        self.waiting: BaseException | None = None

    def escape(self) -> None:
        """Interrupt the running work from another thread. Unlike Ctrl-C, it never counts towards a double press."""
        self.gently = True
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    def press(self) -> bool:
        """Count one press; True if it is the second within two seconds."""
        now = self.clock()
        twice, self.last = now - self.last < TWICE, now
        return twice

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Raise KeyboardInterrupt, or SystemExit(130) on a double press; deferred while held."""
        gently, self.gently = self.gently, False
        self.by_escape = gently
        raised = SystemExit(INTERRUPTED) if not gently and self.press() else KeyboardInterrupt()
        if self.holding:
            self.waiting = raised
            return
        raise raised

    @contextlib.contextmanager
    def deferred(self) -> Iterator[None]:
        """Defer an interrupt until the end of the block, and raise it there."""
        self.holding = True
        try:
            yield
        finally:
            self.holding = False
        raised, self.waiting = self.waiting, None
        if raised is not None:
            raise raised


def current_interrupts() -> Interrupts:
    """The installed handler, or a new one that nothing calls."""
    handler = signal.getsignal(signal.SIGINT)
    return handler if isinstance(handler, Interrupts) else Interrupts()


def block_signals() -> None:
    """Block signals in this thread. One delivered here would not wake the main thread that waits for the model.

    Not for threads that start programs: child processes would inherit the blocked signals.
    """
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM, signal.SIGHUP})


def is_handling_interrupts() -> bool:
    """Whether ``handling_interrupts`` is in force, so that a second press leaves by itself."""
    return isinstance(signal.getsignal(signal.SIGINT), Interrupts)


def play(events: Iterable[Event], show: Callable[[Event], None]) -> bool:
    """Show events as they come; False if Ctrl-C ended them.

    An interrupt is raised inside the generator of the events, never in the middle of drawing. The events that it then
    still yields (how the turn was closed) are shown too. A second press raises SystemExit(130).
    """
    stream, interrupts, whole = iter(events), current_interrupts(), True
    interrupts.last = float("-inf")  # a press before this turn is not the first of a double press
    interrupts.by_escape = False
    step: Callable[[], Event] = stream.__next__
    try:
        while True:
            try:
                event = step()
                step = stream.__next__
                with interrupts.deferred():
                    show(event)
            except StopIteration:
                return whole
            except KeyboardInterrupt as pressed:
                if not isinstance(stream, GeneratorType) or stream.gi_frame is None:
                    return False
                whole, step = False, _raise_inside(stream, pressed)
    finally:
        if isinstance(stream, Generator):
            stream.close()


def _raise_inside(stream: Generator[Event, None, None], pressed: KeyboardInterrupt) -> Callable[[], Event]:
    """The next step: raise the interrupt inside the generator."""
    return lambda: stream.throw(pressed)


@contextlib.contextmanager
def handling_interrupts(screen: Screen, clock: Clock = time.monotonic) -> Iterator[Interrupts]:
    """Wraps a session: handles Ctrl-C as above and restores the terminal, however the session ends.

    SIGTERM and SIGHUP become SystemExit(128 + number), so that every ``finally`` runs.
    """
    saved, interrupts = keyboard.modes(screen.stdin), Interrupts(clock)

    def leave(number: int, _: FrameType | None) -> None:
        if saved and keyboard.modes(screen.stdin) is None:
            abandon(screen.out)  # the window was closed: whatever is still drawn cannot be written
        raise SystemExit(128 + number)

    wanted: dict[signal.Signals, Callable[[int, FrameType | None], Any]] = {
        signal.SIGINT: interrupts,
        signal.SIGTERM: leave,
    }
    if hasattr(signal, "SIGHUP"):
        wanted[signal.SIGHUP] = leave
    main = threading.current_thread() is threading.main_thread()
    before = {number: signal.signal(number, act) for number, act in wanted.items()} if main else {}
    try:
        yield interrupts
    finally:
        for number, act in before.items():
            signal.signal(number, act)
        keyboard.restore(screen.stdin, saved)
        if screen.live:
            with contextlib.suppress(OSError, ValueError):
                write(screen.out, RESET if screen.color else RESET[4:])
