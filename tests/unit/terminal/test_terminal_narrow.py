"""Narrow windows put details that do not fit beside a row below it, whole and never cut."""

from __future__ import annotations

import io
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from ctxe.domain.conversation import Usage
from ctxe.domain.ledger import Ledger, Row
from ctxe.domain.section import Priority
from ctxe.terminal.pages.budget import ledger_view
from ctxe.terminal.pages.money import money_table
from ctxe.terminal.screen import Screen
from ctxe.terminal.style import cells
from ctxe.terminal.tables import Column, draw, table_with_details, without_empty_columns

PIPE = Screen(io.StringIO(), io.StringIO(), io.StringIO())
WINDOW = replace(PIPE, terminal=True, live=True, columns=60)
COLUMNS = [Column("name", grows=True), Column("tokens", right=True)]
ROWS = [["pytest", "1,210"], ["backend", "1,154"], ["empty", ""]]
ABOUT = ["Python tests with fixtures, markers and parametrize", "HTTP and SQL: endpoints, paging, indexes", ""]


def drawn(screen: Screen) -> str:
    return draw([row for group in table_with_details(COLUMNS, ROWS, "for", ABOUT, screen) for row in group], screen)


def test_a_detail_stands_beside_its_row_where_it_fits() -> None:
    beside = (
        "name     tokens  for\n"
        "pytest    1,210  Python tests with fixtures, markers and parametrize\n"
        "backend   1,154  HTTP and SQL: endpoints, paging, indexes\n"
        "empty"
    )
    assert drawn(PIPE) == beside
    assert drawn(replace(WINDOW, columns=68)) == beside


def test_a_detail_stands_below_its_row_where_it_does_not_fit() -> None:
    assert drawn(replace(WINDOW, columns=40)) == (
        "name     tokens\n"
        "pytest    1,210\n"
        "  Python tests with fixtures, markers\n"
        "  and parametrize\n"
        "backend   1,154\n"
        "  HTTP and SQL: endpoints, paging,\n"
        "  indexes\n"
        "empty"
    )
    assert [len(group) for group in table_with_details(COLUMNS, ROWS, "for", ABOUT, replace(WINDOW, columns=40))] == [
        1,
        3,
        3,
        1,
    ]


@given(st.lists(st.tuples(st.text(max_size=30), st.text(max_size=90)), max_size=5), st.integers(1, 90))
def test_details_are_never_wider_than_the_window(rows: list[tuple[str, str]], columns: int) -> None:
    screen = replace(WINDOW, columns=columns)
    groups = table_with_details(COLUMNS, [[name, "1"] for name, _ in rows], "for", [about for _, about in rows], screen)
    assert max((cells(row) for row in draw([r for g in groups for r in g], screen).split("\n")), default=0) <= max(
        columns, 2
    )


WHY = "`Kettle.boil` mentions water and steam · changed in 3 commits with similar messages"
LEDGER = Ledger(
    "offline/repository",
    128_000,
    8_000,
    (
        Row("tools", "edit_file", Priority.TOOLS, 161, 161, "tools", why="core tool"),
        Row("files", "files:tea/kettle.py", Priority.INJECTED, 6_538, 6_538, "task", tier="region", why=WHY),
    ),
)


def test_long_reasons_of_a_ledger_stand_below_their_chunks_and_short_ones_beside() -> None:
    rows = ledger_view(LEDGER, replace(WINDOW, columns=80), explain=True).splitlines()
    assert rows[rows.index("") + 1 :] == [
        "section                tokens  share          cached  why",
        "tools                     161     2%  P1              1 chunk",
        "  edit_file               161                 new     core tool",
        "files                   6,538    98%  P4              1 chunk",
        "  files:tea/kettle.py   6,538         region  new",
        "    `Kettle.boil` mentions water and steam · changed in 3 commits with similar",
        "    messages",
    ]


def test_section_names_are_not_cut_for_a_bar() -> None:
    sections = ("surroundings", "files")
    rows = tuple(Row(name, "x", Priority.INJECTED, 9, 9, "task") for name in sections)
    for columns in (50, 60, 70, 80):
        shown = ledger_view(replace(LEDGER, rows=rows), replace(WINDOW, columns=columns)).splitlines()
        assert [row.split()[0] for row in shown[-2:]] == list(sections)


def test_the_cost_table_fits_sixty_columns_with_whole_dates() -> None:
    spent = [("2026-01-02", 12, Usage(123_000, 450, 4_000), 0.5, 1.5)]
    assert money_table("day", spent, WINDOW).splitlines()[:2] == [
        "day         calls  input  cached  output     cost  uncached",
        "2026-01-02     12   123k      3%     450  $0.5000     $1.50",
    ]


def test_empty_columns_are_hidden_in_a_window_and_kept_on_a_pipe() -> None:
    columns = [Column("id"), Column("uses"), Column("tokens")]
    rows = [["a", "", "9"], ["b", "", ""]]
    assert without_empty_columns(columns, rows, WINDOW) == ([columns[0], columns[2]], [["a", "9"], ["b", ""]])
    assert without_empty_columns(columns, rows, PIPE) == (columns, rows)
