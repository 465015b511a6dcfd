"""The input line in a real pseudo-terminal, and plain lines where there is none."""

from __future__ import annotations

import io
import stat
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ctxe.terminal.input.completions import Completions
from ctxe.terminal.input.inputline import SETTLED
from ctxe.terminal.input.prompt import Left, Prompt
from ctxe.terminal.screen import Screen, detect
from tests.unit.terminal.window import Window

COMMANDS = [("/help", "all commands"), ("/compact", "fold older turns"), ("/context", "what the model sees")]


@pytest.fixture
def window() -> Iterator[Window]:
    with Window(80, 24) as made:
        yield made


def typing(window: Window, *keys: str, after: str = "›") -> None:
    """Press keys one after another once the line is there, below those that stand there already."""
    before = window.settled().count(after)

    def later() -> None:
        window.wait(lambda text: text.count(after) > before)
        for key in keys:
            time.sleep(0.15)
            window.type(key)
            window.drawn(5)

    threading.Thread(target=later, daemon=True).start()


def read(window: Window, *keys: str, **options: object) -> str | Left:
    typing(window, *keys)
    return Prompt(window.screen, **options).read()  # type: ignore[arg-type]


def test_enter_sends_the_line(window: Window) -> None:
    assert read(window, "hello there", "\r") == "hello there"
    assert window.settled() == "› hello there"


@pytest.mark.parametrize("newline", ["\x1b\r", "\n", "\\\r"])
def test_a_message_may_have_several_lines(window: Window, newline: str) -> None:
    assert read(window, "one", newline, "two", "\r") == "one\ntwo"


def test_escape_does_not_swallow_a_later_key(window: Window) -> None:
    waits: list[float] = []

    def later() -> None:
        window.ready()
        while len(waits) < 5 and min(waits, default=1.0) > 0.9:  # the screen is drawn once Escape counts as a key
            began = time.monotonic()
            window.type("\x1b")
            assert window.drawn(10)
            waits.append(time.monotonic() - began)
        window.type("/help")
        window.wait(lambda text: "› /help" in text)
        window.type("\r")

    threading.Thread(target=later, daemon=True).start()
    assert Prompt(window.screen).read() == "/help"
    assert min(waits) < 0.9


def test_escape_on_an_empty_line_does_not_swallow_the_next_key(window: Window) -> None:
    def later() -> None:
        window.ready()
        for key in ("\x1b", "/", "d", "\x1b", "o", "\r"):
            window.type(key)
            time.sleep(0.25)

    threading.Thread(target=later, daemon=True).start()
    assert Prompt(window.screen).read() == "/do"


def test_a_paste_without_bracketed_paste_waits_for_enter(window: Window) -> None:
    poured = "".join(f"row {n}\r" for n in range(400))

    def later() -> None:
        window.ready()
        window.type(poured)
        window.wait(lambda text: text.endswith("row 399"))
        time.sleep(SETTLED + 0.1)
        window.type("\r")

    threading.Thread(target=later, daemon=True).start()
    assert Prompt(window.screen).read() == poured.replace("\r", "\n")


def test_a_short_paste_is_shown_whole_and_a_long_one_as_a_placeholder(window: Window) -> None:
    long = "".join(f"row {n}\r\n" for n in range(119)) + "end"
    assert read(window, "\x1b[200~a\rb\x1b[201~", " and ", f"\x1b[200~{long}\x1b[201~", "\r") == (
        "a\nb and " + long.replace("\r\n", "\n")
    )
    assert "b and [pasted 120 lines]" in window.settled()
    assert str(read(window, f"\x1b[200~{long}\r\n\x1b[201~", "\r")).endswith("end\n")
    assert "› [pasted 120 lines]" in window.settled()
    assert "row 100" not in window.text


def test_commands_complete_with_their_help(window: Window) -> None:
    typing(window, "/com")
    prompt = Prompt(window.screen, completions=Completions(lambda: COMMANDS))
    reader: list[str | Left] = []

    def later() -> None:
        window.wait(lambda text: "fold older turns" in text)
        window.type("\t")
        window.wait(lambda text: "› /compact" in text)
        window.type("\r")

    threading.Thread(target=later, daemon=True).start()
    reader.append(prompt.read())
    assert reader == ["/compact"]


def test_files_and_arguments_complete(window: Window) -> None:
    def files(begun: str) -> list[str]:
        return [name for name in ("src/alpha.py", "src/be\x1b[2Jta.py") if name.startswith(begun)]

    def arguments(command: str, begun: str) -> list[str]:
        return [f"{command}-{begun}-done"]

    assert read(window, "see @src/a", "\t", "\r", "\r", completions=Completions(files=files)) == "see @src/alpha.py"
    typing(window, "/model x", "\t", "\r", "\r", after="alpha.py\n")
    assert Prompt(window.screen, completions=Completions(arguments=arguments)).read() == "/model model-x-done"
    assert b"\x1b[2Jta" not in window.raw


def test_the_toolbar_is_below_the_line(window: Window) -> None:
    window.type_when("9k of 180k", "x\r")
    assert Prompt(window.screen, toolbar=lambda: "openai/gpt-5 \x1b[2J· 9k of 180k").read() == "x"
    assert window.settled() == "› x"


def test_ctrl_c_clears_the_line_then_warns_then_exits(window: Window) -> None:
    typing(window, "some words", "\x03")
    window.type_when("Ctrl-C again leaves", "\x03")
    assert Prompt(window.screen).read() == Left(130)


def test_one_ctrl_c_does_not_exit(window: Window) -> None:
    assert read(window, "some words", "\x03", "other", "\r") == "other"


def test_ctrl_d_exits(window: Window) -> None:
    assert read(window, "\x04") == Left(0)


def test_history_is_private_and_survives(window: Window, tmp_path: Path) -> None:
    history = tmp_path / "state" / "history"
    long = "".join(f"row {n}\n" for n in range(20))
    assert read(window, f"\x1b[200~{long}\x1b[201~", "\r", history=history) == long
    assert stat.S_IMODE(history.stat().st_mode) == 0o600
    typing(window, "\x1b[A", "\r")
    assert Prompt(window.screen, history=history).read() == long
    typing(window, "\x12row 1", "\r", "\r")
    assert Prompt(window.screen, history=history).read() == long


def test_an_unwritable_history_is_no_error(window: Window, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert read(window, "x", "\r", history=tmp_path / "file" / "history") == "x"


def test_a_long_prefilled_text_is_shown_as_a_placeholder(window: Window) -> None:
    long = "\n".join(f"row {n}" for n in range(119)) + "\n"
    typing(window, "?", "\r", after="lines]")
    assert Prompt(window.screen).read(long) == long + "?"
    assert "row 7" not in window.text


def test_a_prefilled_text_can_be_edited(window: Window) -> None:
    typing(window, "!", "\r")
    assert Prompt(window.screen).read("hello") == "hello!"


def test_a_question_ignores_keys_typed_before_it(window: Window) -> None:
    prompt = Prompt(window.screen)
    window.type("y\ry\r")
    time.sleep(0.1)
    typing(window, "n because\r", after="sure?")
    assert prompt.line("sure?") == "n because"
    typing(window, "y", after="again?")
    assert prompt.line("again?", at_once="yn") == "y"
    typing(window, "x\r", "e", after="commit?")
    assert prompt.ask("commit?", ("yes", "edit", "no")) == "edit"
    typing(window, "\x04", after="what?")
    assert prompt.ask("what?", ("yes", "no")) == "no"


def test_ctrl_c_at_a_question_interrupts(window: Window) -> None:
    typing(window, "\x03", after="sure?")
    with pytest.raises(KeyboardInterrupt):
        Prompt(window.screen).line("sure?")


def test_a_text_is_edited_in_the_line_or_in_the_editor(window: Window, tmp_path: Path) -> None:
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\nprintf "more\\n" >> "$1"\n')
    editor.chmod(0o755)
    typing(window, " -q\r", after="change it:")
    prompt = Prompt(window.screen, editor=[str(editor)])
    assert prompt.edit("pytest") == "pytest -q"
    assert prompt.edit("one\ntwo\n", ".py") == "one\ntwo\nmore\n"
    assert Prompt(window.screen, editor=["false"]).edit("one\ntwo\n") == "one\ntwo\n"
    assert Prompt(window.screen, editor=["no-such-editor"]).edit("one\ntwo\n") == "one\ntwo\n"
    told = window.wait(lambda text: text.replace("\n", "").endswith("set EDITOR")).replace("\n", "")
    assert "false ended with 1: the text stays as it was" in told
    assert "the editor no-such-editor cannot be started: No such file or directory; set EDITOR" in told


def lines(text: str) -> tuple[list[str | Left], str]:
    """Everything that is read from a pipe, and what was printed meanwhile."""
    out = io.StringIO()
    prompt = Prompt(detect(io.StringIO(text), out, io.StringIO(), {}))
    got: list[str | Left] = []
    while not got or not isinstance(got[-1], Left):
        got.append(prompt.read())
    return got, out.getvalue()


def test_lines_are_read_from_a_pipe() -> None:
    assert lines("one\ntwo\\\nthree\r\n\nlast") == (["one", "two\nthree", "", "last", Left(0)], "")
    assert lines("") == ([Left(0)], "")
    assert lines("open\\\n") == (["open\n"[:-1], Left(0)], "")


def test_lines_are_read_from_a_dumb_terminal() -> None:
    with Window(60, 10, TERM="dumb") as window:
        prompt = Prompt(window.screen)
        window.type("one\\\ntwo\n")
        assert prompt.read() == "one\ntwo"
        window.type("y\n")
        time.sleep(0.1)
        typing(window, "n\n", after="sure?")
        assert prompt.line("sure?") == "n"
        window.type("\x04")
        assert prompt.read() == Left(0)
        assert b"\x1b" not in window.raw


@pytest.mark.parametrize(("columns", "rows"), [(1, 1), (3, 2), (300, 100)])
def test_the_input_line_works_at_every_window_size(columns: int, rows: int) -> None:
    with Window(columns, rows) as window:
        window.type_when_ready("abc\r")
        assert Prompt(window.screen, toolbar=lambda: "bar", completions=Completions(lambda: COMMANDS)).read() == "abc"


def test_the_cursor_position_is_never_requested(window: Window) -> None:
    read(window, "x", "\r")
    assert b"\x1b[6n" not in window.raw


def screen_of(stdin: str) -> Screen:
    return detect(io.StringIO(stdin), io.StringIO(), io.StringIO(), {})


def test_a_question_on_a_pipe_is_answered_by_its_next_line() -> None:
    ask: Callable[[str], str | None] = Prompt(screen_of("yes\n")).line
    assert (ask("sure?"), ask("sure?")) == ("yes", None)
