"""The properties of a screen, derived from the streams and the environment alone."""

from __future__ import annotations

import io
import os
import pty
from collections.abc import Iterator
from typing import TextIO

import pytest

from ctxe.domain.errors import CtxeError
from ctxe.terminal.screen import detect
from ctxe.terminal.streams import end_quietly, write
from ctxe.terminal.style import only_colors


@pytest.fixture
def tty() -> Iterator[TextIO]:
    parent, child = pty.openpty()
    with os.fdopen(child, "w", encoding="utf-8") as stream:
        yield stream
    os.close(parent)


def seen(tty: TextIO, **environ: str) -> tuple[bool, bool, bool, bool]:
    screen = detect(tty, tty, tty, environ)
    return screen.terminal, screen.live, screen.color, screen.unicode


def test_a_terminal_has_cursor_and_colours(tty: TextIO) -> None:
    assert seen(tty, TERM="xterm-256color") == (True, True, True, True)
    assert seen(tty, TERM="never-heard-of") == (True, True, True, True)
    assert detect(tty, tty, tty, {}).keyboard


@pytest.mark.parametrize("environ", [{}, {"TERM": ""}, {"TERM": "dumb"}, {"TERM": "unknown"}])
def test_a_dumb_terminal_gets_clean_text(tty: TextIO, environ: dict[str, str]) -> None:
    assert seen(tty, **environ) == (True, False, False, True)


def test_no_color_removes_only_colours(tty: TextIO) -> None:
    assert seen(tty, TERM="xterm", NO_COLOR="1") == (True, True, False, True)
    assert seen(tty, TERM="xterm", NO_COLOR="") == (True, True, True, True)


@pytest.mark.parametrize(
    ("environ", "unicode"),
    [
        ({"LANG": "C"}, False),
        ({"LC_ALL": "POSIX", "LANG": "en_US.UTF-8"}, False),
        ({"LANG": "C", "LC_CTYPE": "C.UTF-8"}, False),  # what Python itself makes of LANG=C
        ({"LANG": "C", "LC_CTYPE": "de_DE.UTF-8"}, True),
        ({"LANG": "C.UTF-8"}, True),
        ({"LANG": "bogus_XX.UTF-8"}, True),
        ({}, True),
    ],
)
def test_ascii_ornaments_under_the_c_locale(tty: TextIO, environ: dict[str, str], unicode: bool) -> None:
    assert seen(tty, TERM="xterm", **environ)[3] is unicode


def test_an_ascii_stream_gets_ascii_only() -> None:
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding="ascii")
    assert detect(io.StringIO(), out, io.StringIO(), {"LANG": "en_US.UTF-8"}).unicode is False
    write(out, "é → x")
    assert raw.getvalue() == b"? ? x"


def test_a_pipe_has_no_width_and_plain_can_be_requested() -> None:
    out = io.StringIO()
    screen = detect(io.StringIO(), out, io.StringIO(), {"TERM": "xterm", "COLUMNS": "40"})
    assert (screen.terminal, screen.live, screen.color, screen.keyboard, screen.width) == (
        False,
        False,
        False,
        False,
        None,
    )
    screen.say("hello")
    assert out.getvalue() == "hello\n"


HOSTILE = "title \x1b]0;evil\x07\x1b[2J\x9b6n\r\u202e"


def test_printed_text_holds_no_foreign_escape_sequence() -> None:
    out, err = io.StringIO(), io.StringIO()
    screen = detect(io.StringIO(), out, err, {})
    screen.say(f"saved {HOSTILE}\nin a.md")
    screen.tell(HOSTILE)
    assert out.getvalue() == "saved title ‹U+000D›‹U+202E›\nin a.md\n"
    assert err.getvalue() == "title ‹U+000D›‹U+202E›\n"
    screen.pass_through(HOSTILE)
    assert out.getvalue().endswith(f"{HOSTILE}\n"), "another program reads it as it is"


def test_colours_are_the_only_escapes_printed(tty: TextIO) -> None:
    screen = detect(tty, tty, tty, {"TERM": "xterm"})
    drawn = screen.paint((("ok", "good"), (" → ", ""), ("done", "strong")))
    assert only_colors(f"{drawn}{HOSTILE}", screen.color) == f"{drawn}title ‹U+000D›‹U+202E›"
    assert only_colors(drawn, color=False) == "ok → done"


def test_plain_mode_prints_no_escapes_on_a_terminal(tty: TextIO) -> None:
    screen = detect(tty, tty, tty, {"TERM": "xterm"}, plain=True)
    assert (screen.terminal, screen.live, screen.color, screen.width) == (True, False, False, 80)


def test_the_width_follows_the_window(tty: TextIO) -> None:
    import fcntl
    import struct
    import termios

    screen = detect(tty, tty, tty, {"TERM": "xterm"})
    assert screen.size() == (80, 24)  # a window of 0 x 0 says nothing
    for rows, columns in ((1, 1), (100, 300)):
        fcntl.ioctl(tty.fileno(), termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        assert (screen.width, screen.size()) == (columns, (columns, rows))


def test_closed_streams_are_replaced() -> None:
    closed = io.StringIO()
    closed.close()
    screen = detect(None, closed, None, {})
    screen.say("x")
    screen.tell("y")
    assert screen.stdin.read() == ""
    for stream in (screen.stdin, screen.out, screen.err):
        assert stream.fileno() > 2
        stream.close()


def test_a_broken_pipe_is_silent() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as out:
        with pytest.raises(SystemExit) as left, end_quietly(out, io.StringIO()):
            write(out, "nobody reads this\n")
        assert left.value.code == 141
        write(out, "and this goes nowhere\n")


def test_a_full_output_device_is_one_line() -> None:
    with open("/dev/full", "w") as out:  # noqa: PTH123
        with pytest.raises(CtxeError) as failed, end_quietly(out, io.StringIO()):
            write(out, "no room\n")
        assert (failed.value.message, failed.value.exit_code) == ("cannot write the output: No space left on device", 1)


def test_a_closed_error_stream_is_ignored() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as err:
        screen = detect(io.StringIO(), io.StringIO(), err, {})
        screen.tell("lost")
        screen.tell("and so is this")
