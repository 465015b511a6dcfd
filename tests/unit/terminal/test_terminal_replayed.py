"""Past sessions drawn again, and the progress of long work."""

from __future__ import annotations

import io
import time

import pytest

from ctxe.domain.conversation import Reply, ToolCall, ToolResult
from ctxe.domain.events import Event, Notice, ReplyReceived, ToolFinished, TurnFinished, TurnStarted
from ctxe.domain.section import Chunk, Priority, Section
from ctxe.terminal.pages.replayed import matching_rows, show_events, to_markdown
from ctxe.terminal.progress import progress
from ctxe.terminal.screen import detect
from tests.unit.terminal.window import Window

FULL = "row 1\nthe needle\nrow 3"
EVENTS: list[Event] = [
    TurnStarted("find the Needle", (Section("files", Priority.INJECTED, (Chunk("a.py", "needle = 1", path="a.py"),)),)),
    ReplyReceived(Reply("I *look*.", (ToolCall("1", "search", '{"pattern": "needle"}'),))),
    ToolFinished(ToolResult("1", "row 1 … row 3", handle="h1"), "search", "search needle", full=FULL),
    Notice("careful", "warning"),
    ReplyReceived(Reply("Found:\n```\nx\n```")),
    TurnFinished("answered"),
]


def test_a_past_session_is_drawn_again() -> None:
    out, err = io.StringIO(), io.StringIO()
    show_events(EVENTS, detect(io.StringIO(), out, err, {}))
    assert out.getvalue() == "Found:\n```\nx\n```\n"
    assert err.getvalue() == (
        "› find the Needle\ngathered for this: files a.py\nI *look*.\n"
        "● search needle · 3 lines · shortened for the model\ncareful\n"
    )


def test_a_search_also_finds_folded_text() -> None:
    screen = detect(io.StringIO(), io.StringIO(), io.StringIO(), {})
    assert matching_rows(EVENTS, "needle", screen) == [
        "1 you: find the Needle",
        "1 a.py: needle = 1",
        '1 search: {"pattern": "needle"}',
        "1 search needle: the needle",
    ]
    assert matching_rows(EVENTS, "nothing", screen) == []


def test_a_session_is_exported_as_markdown() -> None:
    assert to_markdown(EVENTS) == (
        "## find the Needle\n\n> find the Needle\n\nI *look*.\n\n**search needle**\n\n```\nrow 1 … row 3\n```\n\n"
        "*careful*\n\nFound:\n```\nx\n```"
    )
    fenced = ToolFinished(ToolResult("1", "```\nx\n```", ok=False), "read_file")
    assert to_markdown([fenced]) == "**read_file** (failed)\n\n````\n```\nx\n```\n````"


def test_long_work_shows_progress_and_clears_its_row() -> None:
    now = [0.0]
    with Window(60, 5) as window:
        with progress(window.screen, "indexing", 200, clock=lambda: now[0]) as advance:
            advance(1, "too early")
            now[0] = 1.0
            advance(50, "src/\x1b[2Ja.py")
            assert window.settled() == "indexing 25% of 200 · 1.0s · src/a.py"
            now[0] = 1.05
            advance(60, "too soon")
            now[0] = 2.0
            advance(150, "long " * 40)
            assert window.settled().startswith("indexing 75% of 200 · 2.0s · long")
            assert len(window.text) <= 60
        assert window.settled() == ""


def test_an_interrupt_clears_the_progress_row() -> None:
    def work(window: Window) -> None:
        with progress(window.screen, "indexing", clock=lambda: time.monotonic() * 100) as advance:
            time.sleep(0.01)
            advance(7, "")
            assert window.settled().startswith("indexing 7 · ")
            raise KeyboardInterrupt

    with Window(60, 5) as window:
        with pytest.raises(KeyboardInterrupt):
            work(window)
        assert window.settled() == ""


def test_a_pipe_gets_no_progress() -> None:
    err = io.StringIO()
    with progress(detect(io.StringIO(), io.StringIO(), err, {}), "x", clock=lambda: 0.0) as advance:
        advance(1, "")
    assert err.getvalue() == ""


def test_long_work_of_a_known_size_shows_a_bar() -> None:
    now = [0.0]
    with Window(80, 5) as window:
        with progress(window.screen, "indexing", clock=lambda: now[0]) as advance:
            now[0] = 1.0
            advance(5_000, "files", 10_000)
            assert window.settled() == f"indexing {'█' * 12}{'░' * 12} 50% of 10,000 · 1.0s · files"
        assert window.settled() == ""


def test_long_work_without_a_terminal_prints_plain_lines() -> None:
    now, err = [0.0], io.StringIO()
    with progress(detect(io.StringIO(), io.StringIO(), err, {}), "indexing", clock=lambda: now[0]) as advance:
        for second in range(25):
            now[0] = float(second)
            advance(second * 100, "files", 10_000)
    assert err.getvalue().replace("·", "-").split("\n") == [
        "indexing 10% of 10,000 - 10s - files",
        "indexing 20% of 10,000 - 20s - files",
        "",
    ]
