"""Where to draw: streams, width, colour and alphabet, detected once from the streams and the environment."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import TextIO

from ctxe.domain.value import dataclass
from ctxe.terminal.streams import abandon, is_terminal, open_or_null, write
from ctxe.terminal.style import Line, clean, only_colors, paint

Clock = Callable[[], float]
"""Monotonic seconds, like ``time.monotonic``."""

DUMB = ("", "dumb", "unknown")
USUAL_COLUMNS, USUAL_ROWS = 80, 24  # for a terminal that does not report its size


@dataclass(frozen=True, slots=True)
class Screen:
    """A place to draw.

    ``terminal``: ``out`` is a terminal. ``live``: its cursor may be moved. ``keyboard``: a person can answer.
    ``color``: colours and bold may be used. ``unicode``: ornaments may be non-ASCII. ``columns`` fixes the width, for
    tests and pictures; None asks the terminal each time, since it may be resized.
    """

    stdin: TextIO
    out: TextIO
    err: TextIO
    terminal: bool = False
    live: bool = False
    keyboard: bool = False
    color: bool = False
    unicode: bool = True
    columns: int | None = None

    @property
    def width(self) -> int | None:
        """Columns to draw in; None without a window (a pipe or a file), where nothing is cut."""
        if self.columns is not None or not self.terminal:
            return self.columns
        return self.size()[0]

    def size(self) -> tuple[int, int]:
        """Columns and rows of the terminal, at least 1; 80 x 24 if it does not report them."""
        try:
            columns, rows = os.get_terminal_size(self.out.fileno())
        except (OSError, ValueError):
            columns, rows = 0, 0
        return self.columns or columns or USUAL_COLUMNS, rows or USUAL_ROWS

    def paint(self, line: Line) -> str:
        """The line as text for this screen, with no control sequences but permitted colours."""
        return paint(line, self.color)

    def say(self, text: str) -> None:
        """Print drawn text (answers, listings) and a newline on standard output. Raises OSError."""
        write(self.out, only_colors(text, self.color) + "\n")

    def pass_through(self, text: str) -> None:
        """Print text from outside: unchanged to a pipe or file, with control sequences made visible on a terminal."""
        write(self.out, ("\n".join(map(clean, text.split("\n"))) if self.terminal else text) + "\n")

    def tell(self, text: str) -> None:
        """Print drawn text other than answers on standard error; a closed stream is ignored."""
        try:
            write(self.err, only_colors(text, self.color) + "\n")
        except (OSError, ValueError):
            abandon(self.err)


def _wants_ascii(environ: Mapping[str, str], out: TextIO) -> bool:
    """Whether the locale is C or POSIX, or the stream's encoding is not a UTF.

    Python itself sets LC_CTYPE=C.UTF-8 when it starts under LANG=C (PEP 538), so that value does not count.
    """
    encoding = (getattr(out, "encoding", None) or "utf-8").lower().replace("-", "").replace("_", "")
    if not encoding.startswith("utf"):
        return True
    ctype = environ.get("LC_CTYPE", "")
    coerced = ctype in ("C.UTF-8", "C.utf8", "UTF-8")
    chosen = environ.get("LC_ALL") or ("" if coerced else ctype) or environ.get("LANG", "")
    return chosen in ("C", "POSIX")


def detect(
    stdin: TextIO | None,
    out: TextIO | None,
    err: TextIO | None,
    environ: Mapping[str, str],
    *,
    plain: bool = False,
    columns: int | None = None,
) -> Screen:
    """The screen for these streams. ``plain`` asks for text without cursor movement or colour.

    NO_COLOR counts when not empty (no-color.org). A missing, dumb or unknown TERM means no control sequences at all;
    every other terminal is assumed to understand the common ECMA-48 ones.
    """
    sink = open_or_null(out, "w")
    terminal = is_terminal(sink)
    able = terminal and not plain and environ.get("TERM", "").lower() not in DUMB
    return Screen(
        stdin=open_or_null(stdin, "r"),
        out=sink,
        err=open_or_null(err, "w"),
        terminal=terminal,
        live=able,
        keyboard=is_terminal(stdin),
        color=able and not environ.get("NO_COLOR"),
        unicode=not _wants_ascii(environ, sink),
        columns=columns,
    )
