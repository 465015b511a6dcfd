"""The terminal's keyboard modes: silent while the model works, flushed before a question, always restored."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import Any, TextIO

from ctxe.terminal.streams import is_terminal

IFLAG, LFLAG, CHARACTERS = 0, 3, 6  # indexes in tcgetattr's list: input modes, local modes, control characters
PIECE, MOST = 65_536, 4_000_000  # bytes per read, and bytes of one paste at most
PASTED = 0.01  # seconds: no typing is as fast, and a paste seldom pauses longer between two lines


def modes(stdin: TextIO) -> list[Any] | None:
    """The terminal's modes; None without a terminal or termios (Windows)."""
    try:
        import termios

        return termios.tcgetattr(stdin.fileno()) if is_terminal(stdin) else None
    except (ImportError, OSError, ValueError):
        return None
    except termios.error:
        return None


def restore(stdin: TextIO, saved: list[Any] | None) -> None:
    """Restore saved modes; does nothing if the terminal is gone."""
    if saved is None:
        return
    import termios

    with contextlib.suppress(OSError, ValueError, termios.error):
        termios.tcsetattr(stdin.fileno(), termios.TCSANOW, saved)


def set_echo(stdin: TextIO, shown: bool) -> None:
    """Turn the echo of typed letters on or off; they are kept for the next read either way."""
    found = modes(stdin)
    if found is None:
        return
    import termios

    found[LFLAG] = found[LFLAG] | termios.ECHO if shown else found[LFLAG] & ~termios.ECHO
    restore(stdin, found)


def set_raw(stdin: TextIO) -> bool:
    """Deliver keys one by one, unprocessed and without echo, to reads that never block. Ctrl-C and Ctrl-Z stay signals.

    Returns False without a terminal.
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


def read_typed(stdin: TextIO) -> bytes:
    """What was typed and not read yet, with the whole of a paste; the terminal must be in raw mode (``set_raw``)."""
    data = more = _read(stdin)
    while more.endswith((b"\r", b"\n")) and has_more(stdin) and len(data) < MOST:
        data += (more := _read(stdin))
    return data


def has_more(stdin: TextIO) -> bool:
    """Whether more input directly follows an Enter, which is then a line end of pasted text."""
    return wait_for_key(stdin, PASTED)


def _read(stdin: TextIO) -> bytes:
    with contextlib.suppress(OSError, ValueError):
        return os.read(stdin.fileno(), PIECE)
    return b""


def wait_for_key(stdin: TextIO, seconds: float) -> bool:
    """Wait for a key for at most ``seconds``; True if there is one."""
    import select

    try:
        return bool(select.select([stdin], [], [], seconds)[0])
    except (OSError, ValueError):
        return False


def flush(stdin: TextIO) -> None:
    """Discard what was typed so far, so that it cannot answer a question that nobody has read."""
    if modes(stdin) is None:
        return
    import termios

    with contextlib.suppress(OSError, ValueError, termios.error):
        termios.tcflush(stdin.fileno(), termios.TCIFLUSH)


@contextlib.contextmanager
def reading(stdin: TextIO) -> Iterator[None]:
    """Turn echo on while a line is read, and restore the modes afterwards."""
    saved = modes(stdin)
    set_echo(stdin, shown=True)
    try:
        yield
    finally:
        restore(stdin, saved)


def read_line(stdin: TextIO) -> str | None:
    """One line without its end; None at the end of input.

    A terminal is read below Python's buffers, where ``flush`` could not discard later lines.
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
