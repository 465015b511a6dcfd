"""A plan on terminals of several sizes and on a pipe: the first files, the rest counted, nothing cut in silence."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest

from ctxe.cli.plan_options import TOO_VAGUE, view
from ctxe.repo.planning.planner import LeftOut, Plan, Planned
from ctxe.repo.planning.reasons import Reason
from ctxe.terminal.screen import Screen
from tests.unit.terminal.window import Window

WHY = "`Kettle.boil` mentions water, longer · changed in 3 commits with similar messages"
FOLDER = "kitchen/hot/drinks/and/their/pots"


def plan(files: int) -> Plan:
    reasons = tuple(Reason("units", said, 0.5) for said in WHY.split(" · "))
    made = tuple(
        Planned(f"{FOLDER}/kettle_{n:02}.py", 1.0 - n / 100, 1_200 + n, "region", ((1, 2),), reasons, "x")
        for n in range(files)
    )
    return Plan("boil longer", 20_000, 19_000, made, (LeftOut("tea.py", 0.1, "no room"),), {"rank": 81.0}, "a note")


def pipe() -> Screen:
    return Screen(io.StringIO(), io.StringIO(), io.StringIO())


def test_a_plan_on_a_pipe_has_one_uncut_row_for_each_file() -> None:
    rows = view(plan(30), pipe()).splitlines()
    assert rows[0].split() == ["file", "tokens", "shown", "why"]
    assert [row.split()[0] for row in rows[1:31]] == [f"{FOLDER}/kettle_{n:02}.py" for n in range(30)]
    assert all(row.endswith(WHY) for row in rows[1:31])
    assert rows[31:] == ["", "19,000 of 20,000 tokens, ranked in 81ms · 1 file had no room", "a note"]


@pytest.mark.parametrize(("columns", "rows", "shown"), [(80, 24, 5), (60, 24, 5), (120, 40, 16), (200, 24, 17)])
def test_a_window_shows_the_first_planned_files_and_counts_the_rest(columns: int, rows: int, shown: int) -> None:
    with Window(columns, rows, NO_COLOR="1") as window:
        drawn = view(plan(30), window.screen).splitlines()
    assert len(drawn) <= rows - 1
    assert max(map(len, drawn)) <= columns
    names = [row for row in drawn if "kettle_" in row]
    assert [row.split()[0][-12:] for row in names] == [f"kettle_{n:02}.py" for n in range(shown)]
    foot = " ".join(drawn[drawn.index("") :])
    assert f"{30 - shown} more files in the plan: --all lists them · 1 file had no room a note" in foot


def test_option_all_shows_every_planned_file_without_a_count() -> None:
    with Window(80, 24, NO_COLOR="1") as window:
        every = view(plan(30), window.screen, every=True)
        few = view(plan(2), window.screen)
    assert every.count("kettle_") == 30
    assert "more file" not in every + few


def test_a_very_narrow_window_stacks_the_fields_of_each_file() -> None:
    with Window(20, 24, NO_COLOR="1") as window:
        drawn = view(plan(2), window.screen)
    assert drawn.count("tokens 1,20") == 2
    assert max(map(len, drawn.splitlines())) <= 20


def test_an_empty_plan_says_what_would_help() -> None:
    assert view(Plan("asdf", 100, 0), pipe()) == (
        "no file of this project matches: use words from the code, or name a file or an error"
    )
    assert view(Plan(" ", 100, 0), pipe()) == "nothing was changed here recently"


def test_a_plan_matched_by_one_word_says_that_it_is_a_guess() -> None:
    assert view(replace(plan(1), task="fix"), pipe()).splitlines()[-2:] == ["a note", TOO_VAGUE]
    assert view(replace(plan(1), task=""), pipe()).splitlines()[-1] == "a note"
