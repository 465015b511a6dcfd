"""Writes to standard streams that may be closed, full, broken or unable to encode every character."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import sys
from collections.abc import Iterator
from typing import TextIO

from ctxe.domain.errors import CtxeError

BROKEN_PIPE = 128 + 13  # exit code that a shell reports for a program ended by SIGPIPE


def write(stream: TextIO, text: str) -> None:
    """Write and flush; characters that the stream cannot encode become ``?``. Raises OSError (BrokenPipeError too)."""
    try:
        stream.write(text)
    except UnicodeEncodeError:
        encoding = stream.encoding or "ascii"
        stream.write(text.encode(encoding, "replace").decode(encoding))
    stream.flush()


def open_or_null(stream: TextIO | None, mode: str) -> TextIO:
    """The stream, or the null device if the process was started with the stream closed."""
    if stream is not None and not stream.closed:
        return stream
    return io.TextIOWrapper(io.FileIO(os.devnull, mode), encoding="utf-8")


def is_terminal(stream: TextIO | None) -> bool:
    """Whether the stream is connected to a terminal; never raises."""
    try:
        return stream is not None and stream.isatty()
    except (OSError, ValueError):
        return False


def fill_missing() -> None:
    """Open the null device on closed descriptors 0-2, so that no file opened later becomes a standard stream.

    Must be called first in the process. Sets those of ``sys.stdin``, ``stdout`` and ``stderr`` that Python left as
    None.
    """
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        try:
            os.fstat(number)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
        if getattr(sys, name) is None:
            null = io.TextIOWrapper(io.FileIO(number, mode, closefd=False), encoding="utf-8")
            setattr(sys, name, null)


def abandon(stream: TextIO) -> None:
    """Redirect a stream to the null device, so that flushing its buffer at exit cannot fail again."""
    with contextlib.suppress(OSError, ValueError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stream.fileno())
        os.close(null)


@contextlib.contextmanager
def end_quietly(out: TextIO, err: TextIO) -> Iterator[None]:
    """Wraps the whole program: a closed pipe ends it silently with 141, a full disk with a one-line error.

    Raises SystemExit(141) for a broken pipe and CtxeError (exit 1) if standard output cannot take the text. Text that
    standard error cannot take is lost.
    """
    try:
        yield
        out.flush()
    except BrokenPipeError:
        abandon(out)
        raise SystemExit(BROKEN_PIPE) from None
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EIO, errno.EBADF, errno.EFBIG, errno.EDQUOT):
            raise
        abandon(out)
        raise CtxeError(f"cannot write the output: {error.strerror}", "send it to another place") from error
    finally:
        try:
            err.flush()
        except (OSError, ValueError):
            abandon(err)
