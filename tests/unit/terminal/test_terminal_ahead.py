"""Input typed while the model works: edited, queued, sent or returned to the input line."""

from __future__ import annotations

import time

import pytest

from ctxe.domain.events import TurnFinished, TurnStarted
from ctxe.terminal.input.typeahead import TypeAhead
from ctxe.terminal.render import Renderer
from tests.unit.terminal.window import Window


def typed(*pieces: str) -> TypeAhead:
    ahead = TypeAhead()
    for piece in pieces:
        ahead.feed(piece.encode())
    return ahead


@pytest.mark.parametrize(
    ("pieces", "text", "queued"),
    [
        (("fix", " ", "it"), "fix it", []),
        (("fix it", "\r"), "", ["fix it"]),
        (("fix it\r",), "", ["fix it"]),
        (("one\r", "two\r", "thr"), "thr", ["one", "two"]),
        (("\r", "  ", "\r"), "  ", []),
        (("fixx", "\x7f", " a word", "\x17"), "fix a ", []),
        (("all of it", "\x15", "new"), "new", []),
        (("one", "\n", "two", "\x1b\r", "three\\", "\r", "four\r"), "", ["one\ntwo\nthree\nfour"]),
        (("a\r\nb\rc\nd\r",), "a\nb\nc\nd\n", []),  # read at once: pasted, and nothing is sent
        (("one\r", "\x1b[A", "!"), "one!", []),
        (("\x1b[", "A\x1b", "OB", "\x1b[1;5C", "x"), "x", []),
        (("\x1b]0;t\x07", "\x9b31m\x00", "y"), "0;t31my", []),
        (("\x04",), "", ["/exit"]),
        (("a", "\x04"), "a", []),
    ],
)
def test_editing_keys_work_as_at_the_prompt(pieces: tuple[str, ...], text: str, queued: list[str]) -> None:
    ahead = typed(*pieces)
    assert (ahead.text, ahead.queued) == (text, queued)


def test_a_character_may_arrive_in_several_reads() -> None:
    ahead = TypeAhead()
    for byte in "漢é🎉".encode():
        ahead.feed(bytes([byte]))
    assert ahead.text == "漢é🎉"


def test_a_single_escape_is_told_apart_from_an_escape_sequence() -> None:
    ahead = typed("ab", "\x1b")
    assert (ahead.escaped(), ahead.escaped(), ahead.text) == (True, False, "ab")
    ahead.feed(b"\x1b")
    ahead.feed(b"[D")
    assert (ahead.escaped(), ahead.text) == (False, "ab")


def test_queued_messages_are_sent_as_one_and_commands_separately() -> None:
    ahead = typed("one\r", "two\r", "/diff\r", "!ls\r", "three\r", "beg")
    assert [ahead.take(whole=True) for _ in range(5)] == [
        ("one\ntwo", ""),
        ("/diff", ""),
        ("!ls", ""),
        ("three", ""),
        ("", "beg"),
    ]
    assert ahead.take(whole=True) == ("", "")


def test_messages_before_a_queued_command_may_be_sent_during_the_turn() -> None:
    ahead = typed("one\r", "two\r", "/diff\r", "three\r", "beg")
    assert [ahead.take_words() for _ in range(2)] == ["one\ntwo", ""]
    assert (ahead.queued, ahead.text) == (["/diff", "three"], "beg")


def test_of_many_queued_lines_the_last_is_shown_with_their_count() -> None:
    ahead = typed("one\rtwo\rthree")
    assert ahead.rows(40, unicode=True) == [
        (("› ", "accent"), ("[2 lines] three", ""), (" · Enter sends it", "dim")),
    ]


def test_pasted_lines_are_shown_and_wait_for_enter() -> None:
    ahead = typed("first line\rsecond line\r")
    [row] = ahead.rows(60, unicode=True)
    assert "".join(text for text, _ in row) == "› [1 line] second line · Enter sends it"
    ahead.feed(b"\r")
    assert (ahead.queued, ahead.text) == (["first line\nsecond line\n"], "")


def test_no_queued_text_is_sent_after_a_stopped_turn() -> None:
    ahead = typed("one\r", "/diff\r", "beg")
    assert (ahead.take(whole=False), ahead.queued) == (("", "one\n/diff\nbeg"), [])


def test_typed_text_is_shown_below_the_status_without_tearing_the_answer() -> None:
    with Window(columns=30, rows=12) as window, Renderer(window.screen, listens=True) as renderer:
        with renderer.working():
            window.wait(lambda text: "gathering context" in text)
            renderer.show(TurnStarted("go"))
            window.type("a first line that is rather long\r")
            window.wait(lambda text: "queued: a first line" in text)
            window.type("and a second one that is longer")
            status, queued, begun = window.wait(lambda text: "longer" in text).split("\n")[-3:]
            assert "gathering context" in status
            assert (queued, begun) == ("  queued: a first line that i…", "› …second one that is longer")
            renderer.show(TurnFinished("answered"))
        assert renderer.take_typed() == ("a first line that is rather long", "")
        assert renderer.take_typed() == ("", "and a second one that is longer")
        assert "queued" not in window.settled()


def test_a_question_takes_no_earlier_key_and_keeps_the_typed_line() -> None:
    with Window(columns=60, rows=12) as window, Renderer(window.screen, listens=True) as renderer:
        with renderer.working():
            window.type("y\r")
            window.wait(lambda text: "queued: y" in text)
            with renderer.paused():
                assert "queued" not in window.settled()
                time.sleep(0.2)
            window.type("more")
            window.wait(lambda text: "› more" in text)
        assert [renderer.take_typed(), renderer.take_typed()] == [("y", ""), ("", "more")]
