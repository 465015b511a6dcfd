"""Tables and the ledger: whole on a pipe, never wider than the window."""

from __future__ import annotations

import io
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from ctxe.domain.conversation import Usage
from ctxe.domain.ledger import Ledger, Row
from ctxe.domain.model import Prices
from ctxe.domain.section import Priority
from ctxe.terminal.pages.budget import ledger_view
from ctxe.terminal.screen import Screen
from ctxe.terminal.style import cells
from ctxe.terminal.tables import Column, table

PIPE = Screen(io.StringIO(), io.StringIO(), io.StringIO())
WINDOW = replace(PIPE, terminal=True, live=True, columns=40)
COLUMNS = [Column("id"), Column("title", grows=True), Column("tokens", right=True)]
ROWS = [["0007-3fa2", "Store sessions as JSONL, one event a line", "1,203"], ["0008", "Short", "9"]]


def test_a_table_on_a_pipe_is_whole() -> None:
    assert table(COLUMNS, ROWS, PIPE) == (
        "id         title                                      tokens\n"
        "0007-3fa2  Store sessions as JSONL, one event a line   1,203\n"
        "0008       Short                                           9"
    )


def test_a_table_in_a_window_shortens_its_flexible_column() -> None:
    assert table(COLUMNS, ROWS, WINDOW) == (
        "id         title                  tokens\n"
        "0007-3fa2  Store sessions as JS…   1,203\n"
        "0008       Short                       9"
    )


def test_a_wrapping_column_shows_its_whole_text() -> None:
    columns = [COLUMNS[0], Column("title", wraps=True), COLUMNS[2]]
    assert table(columns, ROWS, replace(WINDOW, columns=34)) == (
        "id         title            tokens\n"
        "0007-3fa2  Store sessions    1,203\n"
        "           as JSONL, one\n"
        "           event a line\n"
        "0008       Short                 9"
    )


def test_a_table_in_a_very_narrow_window_stacks_its_records() -> None:
    assert table(COLUMNS, ROWS, replace(WINDOW, columns=16)) == (
        "id 0007-3fa2\ntitle Store\n sessions as\n JSONL, one\n event a line\ntokens 1,203\n"
        "\nid 0008\ntitle Short\ntokens 9"
    )


def test_cells_cannot_break_out_of_their_row() -> None:
    evil = "a\nb\x1b]0;title\x07\x1b[2J\rc"
    assert table(["x"], [[evil]], PIPE) == "x\na b c"
    assert table(["x"], [[(evil, "bad")]], replace(WINDOW, color=True)) == "\x1b[2mx\x1b[0m\n\x1b[31ma b c\x1b[0m"


@given(
    st.lists(st.tuples(st.text(max_size=30), st.text(max_size=50), st.integers(0, 10**9).map(str)), max_size=5),
    st.integers(1, 60),
    st.booleans(),
)
def test_a_table_is_never_wider_than_the_window(rows: list[tuple[str, str, str]], columns: int, wraps: bool) -> None:
    shape = [COLUMNS[0], Column("title", grows=True, wraps=wraps), COLUMNS[2]]
    drawn = table(shape, rows, replace(WINDOW, columns=columns))
    assert max((cells(row) for row in drawn.split("\n")), default=0) <= max(columns, 2)


def test_a_table_without_rows_or_headings_is_drawn() -> None:
    assert table(COLUMNS, [], PIPE) == "id  title  tokens"
    assert table([Column("")], [["x"]], PIPE) == "x"


LEDGER = Ledger(
    "anthropic/model",
    200_000,
    20_000,
    (
        Row("system", "rules", Priority.SYSTEM, 1200, 1200, "system", cached=True),
        Row("memory", "decisions/0007", Priority.MEMORY, 900, 900, "system", why="names a file of the task"),
        Row("memory", "failures/ab12", Priority.MEMORY, 300, 0, "system", why="over share"),
        Row("files", "src/turn.py", Priority.INJECTED, 7000, 0, "task", why="over share of files"),
    ),
    exact=False,
    usage=Usage(input=2142),
)


def test_the_ledger_is_printed_whole_on_a_pipe() -> None:
    assert ledger_view(LEDGER, PIPE) == (
        "anthropic/model · window 200,000 · reserve 20,000 · usable 180,000\n"
        "used ≈2,100 of 180,000 tokens (1%) · cached 1,200 (57%) · provider counted 2,142 (+2.0%)\n"
        "\n"
        "section  tokens  share      cached\n"
        "system    1,200    57%  P0  100%    1 chunk\n"
        "memory      900    43%  P3          1 chunk\n"
        "files         0     0%  P4          0 chunks\n"
        "\n"
        "left out (2 chunks, 7,300 tokens)\n"
        "  files   src/turn.py    7,000  over share of files\n"
        "  memory  failures/ab12    300  over share"
    )


def test_the_ledger_explained_names_every_chunk_and_its_reason() -> None:
    assert ledger_view(LEDGER, PIPE, explain=True, prices=Prices(3, 15, 0.3)) == (
        "anthropic/model · window 200,000 · reserve 20,000 · usable 180,000\n"
        "used ≈2,100 of 180,000 tokens (1%) · cached 1,200 (57%) · $0.0063 new, $0.0031 with cache"
        " · provider counted 2,142 (+2.0%)\n"
        "\n"
        "section           tokens  share      cached  why\n"
        "system             1,200    57%  P0  100%    1 chunk\n"
        "  rules            1,200             cached\n"
        "memory               900    43%  P3          1 chunk\n"
        "  decisions/0007     900             new     names a file of the task\n"
        "files                  0     0%  P4          0 chunks\n"
        "\n"
        "left out (2 chunks, 7,300 tokens)\n"
        "  files   src/turn.py    7,000  over share of files\n"
        "  memory  failures/ab12    300  over share"
    )


@given(st.integers(2, 300), st.booleans(), st.booleans())
def test_the_ledger_fits_every_window(columns: int, explain: bool, unicode: bool) -> None:
    screen = replace(WINDOW, columns=columns, unicode=unicode)
    drawn = ledger_view(LEDGER, screen, explain=explain, prices=Prices(3, 15, 0.3))
    assert max(cells(row) for row in drawn.split("\n")) <= columns


def test_an_empty_ledger_is_drawn() -> None:
    assert ledger_view(Ledger("m", 0, 0, ()), WINDOW) == (
        "m · window 0 · reserve 0 · usable 0\nused 0 of 0 tokens (0%) · cached 0 (0%)\n"
        "\nsection  tokens  share    cached"
    )
