"""Ctrl-C: once ends the running turn and keeps what came, twice within two seconds leaves with 130."""

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
    """What SIGINT does. While ``held`` it waits, so that drawing is never torn. ``eased``: Escape was the last."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self.clock = clock
        self.last = float("-inf")
        self.holding = self.gently = self.eased = False
        self.waiting: BaseException | None = None

    def escape(self) -> None:
        """End what runs as one press does, from another thread; it never is the first or second of two."""
        self.gently = True
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    def press(self) -> bool:
        """Count one press; True when it is the second within two seconds."""
        now = self.clock()
        twice, self.last = now - self.last < TWICE, now
        return twice

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """The signal's handler. Raises KeyboardInterrupt, or SystemExit(130) on the second press, unless held."""
        gently, self.gently = self.gently, False
        self.eased = gently
        raised = SystemExit(INTERRUPTED) if not gently and self.press() else KeyboardInterrupt()
        if self.holding:
            self.waiting = raised
            return
        raise raised

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Let a press wait until the end of the block, and raise it there."""
        self.holding = True
        try:
            yield
        finally:
            self.holding = False
        raised, self.waiting = self.waiting, None
        if raised is not None:
            raise raised


def current() -> Interrupts:
    """The handler that is installed, or one that nothing calls."""
    handler = signal.getsignal(signal.SIGINT)
    return handler if isinstance(handler, Interrupts) else Interrupts()


def unheard() -> None:
    """Leave signals to the main thread. Given to another one, they wake nobody who waits for words of the model.

    Not for threads that start programs: those would not hear them either.
    """
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM, signal.SIGHUP})


def installed() -> bool:
    """True while ``restored`` is in force: a second press then leaves by itself."""
    return isinstance(signal.getsignal(signal.SIGINT), Interrupts)


def play(events: Iterable[Event], show: Callable[[Event], None]) -> bool:
    """Show events as they come; False when Ctrl-C ended them.

    An interrupt is raised where the events are made, never in the middle of drawing; what the events still say then
    (how the turn was closed) is shown too. A second one raises SystemExit(130).
    """
    stream, interrupts, whole = iter(events), current(), True
    interrupts.last = float("-inf")  # a press before the words that began this is no first one of two
    interrupts.eased = False
    step: Callable[[], Event] = stream.__next__
    try:
        while True:
            try:
                event = step()
                step = stream.__next__
                with interrupts.held():
                    show(event)
            except StopIteration:
                return whole
            except KeyboardInterrupt as pressed:
                if not isinstance(stream, GeneratorType) or stream.gi_frame is None:
                    return False
                whole, step = False, _thrown(stream, pressed)
    finally:
        if isinstance(stream, Generator):
            stream.close()


def _thrown(stream: Generator[Event, None, None], pressed: KeyboardInterrupt) -> Callable[[], Event]:
    """The next step: the interrupt raised inside the generator."""
    return lambda: stream.throw(pressed)


@contextlib.contextmanager
def restored(screen: Screen, clock: Clock = time.monotonic) -> Iterator[Interrupts]:
    """Round a session: Ctrl-C as above, and the terminal left as it was found whatever ends it.

    SIGTERM and SIGHUP become SystemExit(128 + number), so that every ``finally`` runs.
    """
    saved, interrupts = keyboard.modes(screen.stdin), Interrupts(clock)

    def leave(number: int, _: FrameType | None) -> None:
        if saved and keyboard.modes(screen.stdin) is None:
            abandon(screen.out)  # the window was closed: what is still drawn on the way out has nowhere to go
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
