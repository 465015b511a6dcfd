"""The terminal's modes for the keyboard: silent while the model works, flushed before a question, always restored."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import Any, TextIO

from ctxe.terminal.streams import is_terminal

IFLAG, LFLAG, CHARACTERS = 0, 3, 6  # where tcgetattr keeps the modes of input, the local ones, and control characters
PIECE, MOST = 65_536, 4_000_000  # bytes of one read, and of what is taken for one paste
PASTED = 0.01  # seconds: no finger is as fast, and a paste that takes longer between two lines is seldom


def modes(stdin: TextIO) -> list[Any] | None:
    """The terminal's modes; None where there is no terminal or no termios (Windows)."""
    try:
        import termios

        return termios.tcgetattr(stdin.fileno()) if is_terminal(stdin) else None
    except (ImportError, OSError, ValueError):
        return None
    except termios.error:
        return None


def restore(stdin: TextIO, saved: list[Any] | None) -> None:
    """Put modes back; a terminal that has gone needs none."""
    if saved is None:
        return
    import termios

    with contextlib.suppress(OSError, ValueError, termios.error):
        termios.tcsetattr(stdin.fileno(), termios.TCSANOW, saved)


def echo(stdin: TextIO, shown: bool) -> None:
    """Show or hide typed letters as they are typed; they are kept for the next read either way."""
    found = modes(stdin)
    if found is None:
        return
    import termios

    found[LFLAG] = found[LFLAG] | termios.ECHO if shown else found[LFLAG] & ~termios.ECHO
    restore(stdin, found)


def quiet(stdin: TextIO) -> bool:
    """Keys come one by one, as they are and unseen, and no read waits; Ctrl-C and Ctrl-Z stay signals.

    False where there is no terminal to be quiet.
    """
    found = modes(stdin)
    if found is None:
        return False
    import termios

    found[IFLAG] &= ~(termios.ICRNL | termios.INLCR | termios.IGNCR)
    found[LFLAG] &= ~(termios.ICANON | termios.ECHO | termios.IEXTEN)
    found[CHARACTERS][termios.VMIN] = found[CHARACTERS][termios.VTIME] = 0
    restore(stdin, found)
    return True


def typed(stdin: TextIO) -> bytes:
    """What was typed and not read yet, on a terminal that is ``quiet``, with all of what was pasted."""
    data = more = _read(stdin)
    while more.endswith((b"\r", b"\n")) and goes_on(stdin) and len(data) < MOST:
        data += (more := _read(stdin))
    return data


def goes_on(stdin: TextIO) -> bool:
    """Does something come right behind an Enter? Then no finger has pressed it: it is the line end of pasted text."""
    return pressed(stdin, PASTED)


def _read(stdin: TextIO) -> bytes:
    with contextlib.suppress(OSError, ValueError):
        return os.read(stdin.fileno(), PIECE)
    return b""


def pressed(stdin: TextIO, seconds: float) -> bool:
    """Wait for a key at most so long; True when there is one."""
    import select

    try:
        return bool(select.select([stdin], [], [], seconds)[0])
    except (OSError, ValueError):
        return False


def flush(stdin: TextIO) -> None:
    """Forget what was typed before now, so that it cannot answer a question nobody had read."""
    if modes(stdin) is None:
        return
    import termios

    with contextlib.suppress(OSError, ValueError, termios.error):
        termios.tcflush(stdin.fileno(), termios.TCIFLUSH)


@contextlib.contextmanager
def reading(stdin: TextIO) -> Iterator[None]:
    """Letters are shown while a line is read, and as before afterwards."""
    saved = modes(stdin)
    echo(stdin, shown=True)
    try:
        yield
    finally:
        restore(stdin, saved)


def read_line(stdin: TextIO) -> str | None:
    """One line without its end; None at the end of input.

    A terminal is read below Python's buffers, which would keep later lines out of reach of ``flush``.
    """
    if not is_terminal(stdin):
        text = stdin.readline()
        return text.rstrip("\r\n") if text else None
    data = b""
    with reading(stdin):
        while not data.endswith(b"\n"):
            more = os.read(stdin.fileno(), 4096)
            data += more
            if not more:
                break
    return data.decode("utf-8", "replace").rstrip("\r\n") if data else None
