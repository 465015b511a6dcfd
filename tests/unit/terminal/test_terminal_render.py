"""A session as it is drawn: on a terminal, on a dumb one and on a pipe."""

from __future__ import annotations

import io
import os
import re
import threading
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

from ctxe.context.known_lines import KnownLines, replace_known_lines
from ctxe.domain.conversation import Fold, Position, Reply, ToolCall, ToolResult, Usage
from ctxe.domain.events import (
    ContextAssembled,
    Event,
    Folded,
    ModelChosen,
    Noted,
    Notice,
    Pinned,
    Recorded,
    ReplyReceived,
    ToolFinished,
    ToolStarted,
    TurnFinished,
    TurnStarted,
    Unfolded,
)
from ctxe.domain.ledger import Ledger, Row
from ctxe.domain.model import CallDelta, ReasoningDelta, TextDelta, Waiting
from ctxe.domain.section import Chunk, Priority, Section
from ctxe.domain.tool import Progress
from ctxe.domain.value import replace
from ctxe.safety.running.process import Finished, run
from ctxe.terminal.render import Renderer
from ctxe.terminal.screen import detect
from tests.unit.terminal.window import Window

LEDGER = Ledger("openai/gpt-5", 200_000, 20_000, (Row("system", "rules", Priority.SYSTEM, 9_000, 9_000, "system"),))
ANSWER = "I look **first**.\n\n- one\n- two\n"
CALL = ToolCall("1", "run_command", '{"command": "pytest -q"}')
DIFF = "--- a/src/a.py\n+++ b/src/a.py\n@@ -1,2 +1,2 @@\n-old\n+new\n same\n"
TURN: list[Event] = [
    TurnStarted("fix it", (Section("files", Priority.INJECTED, (Chunk("a", "…", path="src/a.py"),)),)),
    ContextAssembled(LEDGER),
    *(TextDelta(ANSWER[i : i + 5]) for i in range(0, len(ANSWER), 5)),
    CallDelta("run_command", 30),
    ReplyReceived(Reply(ANSWER, (CALL,), "tools", Usage(9_100, 50, 0, 0)), 0.01, 1.0),
    ToolStarted("1", "run_command", "run pytest -q", "user"),
    Progress("collecting\n"),
    ToolFinished(ToolResult("1", "1 failed"), "run_command", "run pytest -q", "", "", 12.3, {"exit_code": 1}),
    ToolFinished(ToolResult("2", "ok"), "edit_file", "edit src/a.py", DIFF),
    ToolFinished(ToolResult("3", "not permitted: never", ok=False), "run_command", ""),
    ContextAssembled(LEDGER),
    TextDelta("All `done`."),
    ReplyReceived(Reply("All `done`.", usage=Usage(10_000, 20, 9_000, 0)), 0.002, 0.5),
    TurnFinished("answered", Usage(19_100, 70, 9_000, 0), 0.0123, 4.2),
]
DRAWN = """\

gathered for this: files src/a.py

I look first.

 • one
 • two

● run pytest -q · exit 1 · 12s
  1 failed
● edit src/a.py
  --- a/src/a.py
  +++ b/src/a.py
  @@ -1,2 +1,2 @@
  -old
  +new
   same
● run_command
  not permitted: never

All done.

openai/gpt-5 · 10k of 180k █░░░░░░░ 6% · cached 47% · $0.0123 · 4.2s"""


def draw(window: Window, events: Iterable[Event], words: bool = False) -> str:
    with Renderer(window.screen, words=words) as renderer:
        for event in events:
            renderer.show(event)
    return window.settled()


def test_a_turn_is_drawn_on_a_terminal() -> None:
    with Window(columns=80, rows=50) as window:
        assert draw(window, TURN) == DRAWN


def test_a_slow_turn_leaves_the_same_screen() -> None:
    def slowly() -> Iterable[Event]:
        for event in TURN:
            time.sleep(0.05)
            yield event
            if isinstance(event, Progress):
                window.wait(lambda _: b"collecting" in window.raw)

    with Window(columns=80, rows=50) as window:
        assert draw(window, slowly()) == DRAWN
        assert "Ctrl-C stops" in window.raw.decode()
        assert "collecting" in window.raw.decode()


def test_without_colour_only_cursor_sequences_are_sent() -> None:
    with Window(columns=80, rows=50, NO_COLOR="1") as window:
        assert draw(window, TURN) == DRAWN
        assert re.sub(rb"\x1b\[(?:2K|J|\d+A)", b"", window.raw).count(b"\x1b") == 0


def test_ornaments_are_ascii_in_an_ascii_locale() -> None:
    with Window(columns=80, rows=50, LANG="C") as window:
        assert draw(window, TURN).isascii()


def streams(events: Iterable[Event]) -> tuple[str, str]:
    out, err = io.StringIO(), io.StringIO()
    with Renderer(detect(io.StringIO(), out, err, {"TERM": "xterm"})) as renderer:
        for event in events:
            renderer.show(event)
    return out.getvalue(), err.getvalue()


def test_a_pipe_gets_the_answer_alone() -> None:
    out, err = streams(TURN)
    assert out == "All `done`.\n"
    assert err == (
        "gathered for this: files src/a.py\nI look **first**.\n\n- one\n- two\n"
        "● run pytest -q · exit 1 · 12s\n  1 failed\n"
        "● edit src/a.py\n  --- a/src/a.py\n  +++ b/src/a.py\n  @@ -1,2 +1,2 @@\n  -old\n  +new\n   same\n"
        "● run_command\n  not permitted: never\n"
        "openai/gpt-5 · 10k of 180k █░░░░░░░ 6% · cached 47% · $0.0123 · 4.2s\n"
    )


def test_a_dumb_terminal_gets_streamed_text_without_escapes() -> None:
    with Window(columns=80, rows=50, TERM="dumb") as window:
        text = draw(window, TURN)
        assert b"\x1b" not in window.raw
    assert "I look **first**.\n\n- one\n- two\n● run pytest -q · running\n" in text
    assert text.endswith("All `done`.\nopenai/gpt-5 · 10k of 180k █░░░░░░░ 6% · cached 47% · $0.0123 · 4.2s")


def test_the_end_of_long_reasoning_is_visible() -> None:
    with Window(columns=40, rows=12) as window, Renderer(window.screen) as renderer:
        renderer.show(TurnStarted("x"))
        for n in range(30):
            renderer.show(ReasoningDelta(f"thought {n} goes on "))
        assert "thought 29 goes on" in window.wait(lambda text: "thought 29" in text)
        assert "thought 5 " not in window.settled()


def test_combining_characters_stay_joined_when_streamed() -> None:
    words = "A family 👩\u200d👧\u200d👦 and ❤\ufe0f, hidden\u200dhere."
    shown = words.replace("hidden\u200dhere", "hidden‹U+200D›here")
    for size in (1, 2, 3, 100):
        pieces = [TextDelta(words[at : at + size]) for at in range(0, len(words), size)]
        with Window(columns=80, TERM="dumb") as window:
            draw(window, [TurnStarted("x"), *pieces, ReplyReceived(Reply(words))])
            assert window.raw.decode().strip() == shown


EVIL = "\x1b]0;owned\x07\x1b[2J\x9b31m\x1bP+q\x1b\\\u202egnp.exe\x08\x00 [red]markup[/red] \ud800"


@pytest.mark.parametrize("term", ["xterm", "dumb"])
def test_no_control_sequence_from_content_reaches_the_terminal(term: str) -> None:
    events: list[Event] = [
        TurnStarted(EVIL, (Section(EVIL, Priority.INJECTED, (Chunk(EVIL, EVIL, EVIL, path=EVIL),)),)),
        ContextAssembled(LEDGER),
        *(TextDelta(letter) for letter in f"# {EVIL}\n\n`{EVIL}` <http://a.b/%1b%5d0;x> [{EVIL}](http://x/%1b[2J)\n\n"),
        TextDelta(
            f"![{EVIL}](http://x/%1b)\n\n| {EVIL} |\n|---|\n| {EVIL} |\n\n```{EVIL}\n{EVIL}\n```\n&#x1b;[2J&#x202e;"
        ),
        ReasoningDelta(EVIL),
        CallDelta(EVIL, 5),
        ReplyReceived(Reply("x")),
        ToolStarted("1", EVIL, EVIL, EVIL),
        Progress(EVIL),
        ToolFinished(ToolResult("1", EVIL, ok=False), EVIL, EVIL, EVIL + "\n" + EVIL),
        ToolFinished(ToolResult("1", EVIL), EVIL, EVIL, f"--- {EVIL}\n@@ -1 +1 @@\n+{EVIL}"),
        Noted((Chunk(EVIL, EVIL, EVIL),)),
        Recorded("fact", EVIL, EVIL, EVIL, EVIL),
        Notice(EVIL, "error"),
        Pinned(EVIL),
        Folded(Fold(Position(), cause=EVIL)),
        Waiting(0.01, EVIL),
        TurnFinished("failed", why=EVIL),
    ]
    with Window(columns=80, rows=50, TERM=term) as window:
        draw(window, events, words=True)
        ours = re.compile(rb"\x1b\[(?:2K|J|\d+A|[0-9;]*m)" if term == "xterm" else rb"(?!)")
        rest = ours.sub(b"", window.raw).decode()
    assert re.findall("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202e]", rest) == []
    assert "[red]markup[/red]" in rest


def test_retracted_text_is_removed_from_the_screen() -> None:
    events: list[Event] = [
        TurnStarted("x"),
        ContextAssembled(LEDGER),
        TextDelta("Half an answer\n\nand more\n\nand"),
        Waiting(0.2, "429 too many requests"),
    ]
    with Window() as window, Renderer(window.screen) as renderer:
        for event in events:
            renderer.show(event)
            time.sleep(0.1)
        text = window.settled()
        assert "↻ 429 too many requests: asking again in 0.2s" in text
        assert "asking again in 0s" in text
        assert "Half" not in text
        renderer.show(TextDelta("Whole."))
        renderer.show(ReplyReceived(Reply("Whole.")))
        renderer.show(TurnFinished("answered"))
        assert "Half" not in window.settled()
        assert "Whole." in window.text


def test_retracted_text_that_scrolled_away_is_marked() -> None:
    long = [TextDelta(f"Paragraph {n}.\n\n") for n in range(12)]
    events: list[Event] = [TurnStarted("x"), ContextAssembled(LEDGER), *long, Waiting(1, "cut")]

    def slowly() -> Iterable[Event]:
        for event in events:
            time.sleep(0.1)
            yield event

    with Window(rows=8) as window:
        text = draw(window, slowly())
    assert "Paragraph 0." in text
    assert (
        text.index("Paragraph 5.") < text.index("the words above are void") < text.index("↻ cut: asking again in 1.0s")
    )


def test_retracted_text_is_kept_from_a_pipe_and_marked_on_a_dumb_terminal() -> None:
    events: list[Event] = [TurnStarted("x"), TextDelta("Half"), Waiting(2, "cut"), TextDelta("Whole")]
    events.append(ReplyReceived(Reply("Whole")))
    assert streams([*events, TurnFinished("answered")]) == ("Whole\n", "↻ cut: asking again in 2.0s\n")
    with Window(TERM="dumb") as window:
        assert draw(window, events) == "Half\nthe words above are void\n↻ cut: asking again in 2.0s\nWhole"


def test_an_interrupted_answer_is_kept() -> None:
    events: list[Event] = [TurnStarted("x"), TextDelta("As far as"), TurnFinished("interrupted")]
    with Window() as window:
        assert draw(window, events) == "\nAs far as\n\n■ interrupted; what arrived is kept"
    assert streams(events) == ("As far as\n", "■ interrupted; what arrived is kept\n")


def test_a_past_session_is_drawn_from_its_log() -> None:
    events: list[Event] = [TurnStarted("fix\nit"), ReplyReceived(Reply("Done *so*.")), TurnFinished("answered")]
    with Window() as window:
        assert draw(window, events, words=True) == "\n› fix\n  it\n\nDone so."


def test_notices_and_folds_are_drawn_beside_the_answer() -> None:
    fold = Fold(Position(1), tokens_before=82_100, tokens_after=31_000, cause="70% of the window")
    _, err = streams(
        [
            Folded(fold),
            Unfolded(),
            Pinned("keep it small"),
            Pinned("keep it small", pinned=False),
            Recorded("decision", "0007", "Store as JSONL", "model (approved)", ".ctxe/decisions/0007.md"),
            Recorded("failure", "f1", "failure noted: `make`: Error", "ctxe"),
            Noted((Chunk("a.py", "…", "changed since it was read"),)),
            Notice("careful", "warning"),
            TurnFinished("step limit", why="100 model calls"),
        ]
    )
    assert err.splitlines() == [
        "⇲ folded 82.1k → 31k tokens · 70% of the window · /uncompact takes it back",
        "⇲ the newest fold was taken back",
        "pinned: keep it small",
        "no longer pinned: keep it small",
        "✎ decision 0007 Store as JSONL · by model (approved) · .ctxe/decisions/0007.md",
        "✎ failure f1 noted: `make`: Error · by ctxe",
        "told the model: a.py · changed since it was read",
        "careful",
        "■ stopped at the step limit: 100 model calls",
    ]


def test_long_output_is_shortened_with_a_count() -> None:
    rows = "".join(f"row {n}\n" for n in range(30))
    _, err = streams([ToolFinished(ToolResult("1", rows), "run_command", "run x", rows, facts={"exit_code": 0})])
    assert err.splitlines() == ["● run x", "  … 18 more lines", *(f"  row {n}" for n in range(18, 30))]


def test_of_an_output_whose_middle_was_dropped_the_count_of_lines_is_a_least_one() -> None:
    *_, done = run(["seq", "9000"], Path.cwd(), dict(os.environ), limit=10_000)
    assert isinstance(done, Finished)
    assert done.omitted
    event = ToolFinished(ToolResult("1", "…"), "run_command", "run seq", "", done.output, facts={"exit_code": 0})
    rest = streams([event])[1].splitlines()[1]
    assert re.fullmatch(r"  … at least [\d,]+ more lines", rest)


def head_of(event: ToolFinished) -> str:
    return streams([event])[1].splitlines()[0]


def test_a_read_says_how_many_lines_the_model_already_had() -> None:
    lines = [f"{number}\tvalue_{number} = {number} * factor_of_it" for number in range(1, 101)]
    full = "\n".join(["src/a.py: 100 lines", *lines])

    def read(known: int, facts: Mapping[str, object]) -> ToolFinished:
        seen = KnownLines()
        seen.add(line.partition("\t")[2] for line in lines[:known])
        text = replace_known_lines(full, seen, "h1", lambda x: x.partition("\t")[2] or x)
        return ToolFinished(ToolResult("1", text, handle="h1"), "read_file", "read src/a.py", "", full, facts=facts)

    assert head_of(read(100, {"lines": 100})) == "● read src/a.py · 100 lines · in view already, not sent again"
    assert head_of(read(60, {"lines": 100})) == "● read src/a.py · 100 lines · 60 of them in view already"
    ran = replace(read(60, {"exit_code": 0, "tests": {"passed": 7}}), tool="run_command", title="run pytest")
    assert head_of(ran) == "● run pytest · 7 passed · 60 lines in view already"
    ran = replace(read(98, {"exit_code": 1}), tool="run_command", title="run cargo nextest run")
    assert head_of(ran) == "● run cargo nextest run · exit 1 · 98 lines in view already"
    cut = ToolFinished(
        ToolResult("1", "head\n[cut]", handle="h"), "read_file", "read b", "", full, facts={"lines": 100}
    )
    assert head_of(cut) == "● read b · 100 lines · shortened for the model"


def test_searches_and_listings_say_what_they_found() -> None:
    def told(text: str, **facts: int) -> str:
        return head_of(ToolFinished(ToolResult("1", text), "search", "search x", facts=facts))

    assert told("no match for x", matches=0) == "● search x · no match"
    assert told("a.py\n1:x", matches=1, files=1) == "● search x · 1 match in 1 file"
    assert told("a.py\n1:x", matches=1_203, files=14) == "● search x · 1,203 matches in 14 files"
    assert told("3 files\na b c", files=3) == "● search x · 3 files"


def test_a_user_command_shows_one_screen_of_output() -> None:
    def shown(**facts: object) -> list[str]:
        text = "\n".join([*(f"row {n}" for n in range(99)), "[exit 0]"])
        return streams([ToolFinished(ToolResult("1", text), "run_command", "run x", facts=facts)])[1].splitlines()[1:]

    assert shown(exit_code=0) == ["  … 96 more lines", "  row 96", "  row 97", "  row 98", "  [exit 0]"]
    own = ["  … 60 more lines", *(f"  row {n}" for n in range(60, 99)), "  [exit 0]"]
    assert shown(exit_code=0, by="user") == shown(exit_code=1, by="user") == own


def test_the_count_of_a_shortened_output_covers_all_lines() -> None:
    full = "\n" + "\n".join(f"line {n}" for n in range(10_000)) + "\n[exit 0]\n"
    short = "\nline 0\n[9,990 lines left out]\n" + "\n".join(f"line {n}" for n in range(9_995, 10_000)) + "\n[exit 0]"
    event = ToolFinished(ToolResult("1", short, handle="h"), "run_command", "run seq", "", full, facts={"exit_code": 0})
    assert streams([event])[1].splitlines()[1:] == [
        "  … 9,997 more lines",
        "  line 9997",
        "  line 9998",
        "  line 9999",
        "  [exit 0]",
    ]


def test_the_model_is_named_only_when_it_changes() -> None:
    with Window() as window:
        models = ["openai/gpt-5", "openai/gpt-5", "openai/gpt-5-mini"]
        assert draw(window, map(ModelChosen, models)) == "model openai/gpt-5-mini"


def test_a_preview_shown_at_the_approval_is_not_repeated() -> None:
    with Window() as window, Renderer(window.screen) as renderer:
        with renderer.paused(DIFF):
            window.screen.say("? edit_file")
        renderer.show(ToolFinished(ToolResult("1", "ok"), "edit_file", "edit src/a.py", DIFF))
        renderer.show(ToolFinished(ToolResult("2", "ok"), "edit_file", "edit src/b.py", DIFF))
        text = window.settled()
    assert text.startswith("? edit_file\n\n● edit src/a.py\n● edit src/b.py\n  --- a/src/a.py\n")


@pytest.mark.parametrize(("columns", "rows"), [(1, 1), (2, 3), (10, 4), (23, 5), (300, 100)])
def test_a_turn_is_drawn_at_every_window_size(columns: int, rows: int) -> None:
    def slowly() -> Iterable[Event]:
        for event in TURN:
            time.sleep(0.01)
            yield event

    with Window(columns, rows) as window:
        seen = "".join(draw(window, slowly()).split())
    assert "Ilookfirst." in seen.replace("*", "")
    assert "openai/gpt-5" in seen


def test_resizing_during_an_answer_loses_no_text() -> None:
    words = [f"word{n:03d} " if n % 12 else f"word{n:03d}\n\n" for n in range(300)]
    with Window(80, 24) as window, Renderer(window.screen) as renderer:
        renderer.show(TurnStarted("x"))
        for n, word in enumerate(words):
            if n % 25 == 0:
                window.resize(*((80, 24), (50, 10), (100, 30), (40, 24))[n // 25 % 4])
            renderer.show(TextDelta(word))
            time.sleep(0.004)
        renderer.show(ReplyReceived(Reply("".join(words))))
        renderer.show(TurnFinished("answered"))
        window.settled()
        raw = window.raw.decode()
    assert [word.strip() for word in words if word.strip() not in raw] == []


def test_drawing_a_long_answer_is_cheap() -> None:
    block = "Some **bold** text with `code`.\n\n- one\n- two\n\n```python\ndef f(x):\n    return x\n```\n\n"
    answer = (block * 110)[:9_000]
    with Window(100, 40) as window, Renderer(window.screen) as renderer:
        renderer.show(TurnStarted("x"))
        renderer.show(TextDelta("warm *up*\n\nimports\n\n```python\nx = 1\n```\n\n"))
        time.sleep(0.2)
        renderer.show(TextDelta("y"))
        began = time.thread_time()
        for at in range(0, 9_000, 40):
            renderer.show(TextDelta(answer[at : at + 40]))
            time.sleep(0.002)
        renderer.show(ReplyReceived(Reply(answer)))
        cost = time.thread_time() - began
    assert cost < 0.5


def test_no_thread_is_left_running() -> None:
    before = threading.active_count()
    with Window() as window:
        draw(window, TURN)
    assert threading.active_count() == before
