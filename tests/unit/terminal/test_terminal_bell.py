"""When the terminal bell rings: after long work without input."""

from __future__ import annotations

import io

import pytest

from ctxe.terminal.bell import Bell
from ctxe.terminal.screen import Screen


@pytest.mark.parametrize(
    ("seconds", "live", "rings"), [(30.0, True, [0, 0, 1, 1, 2]), (0.0, True, [0] * 5), (30.0, False, [0] * 5)]
)
def test_the_bell_rings_at_an_end_or_a_question_after_long_work(seconds: float, live: bool, rings: list[int]) -> None:
    out, now = io.StringIO(), [100.0]
    bell = Bell(Screen(io.StringIO(), out, io.StringIO(), live=live), lambda: now[0], seconds)
    heard = []
    with (
        bell.ring_for_question()
    ):  # before any turn: at the start, or round a program that a person lends the terminal to
        now[0] += 500
    heard.append(out.getvalue().count("\a"))
    with bell.ring_at_end():
        now[0] += 29
        with bell.ring_for_question():
            heard.append(out.getvalue().count("\a"))
            now[0] += 500
        now[0] += 31
        with bell.ring_for_question():
            heard.append(out.getvalue().count("\a"))
        now[0] += 10
    heard.append(out.getvalue().count("\a"))
    with bell.ring_at_end():
        now[0] += 40
    heard.append(out.getvalue().count("\a"))
    assert heard == rings
