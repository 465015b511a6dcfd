"""Tables as text: fitted to the window; without one, whole and one line per row."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import le

from ctxe.domain.value import dataclass
from ctxe.terminal import figures
from ctxe.terminal.screen import Screen
from ctxe.terminal.style import Line, Span, cells, clean, clip, fold, line, width

Cell = str | Span | Line
GAP = "  "
NARROWEST = 6  # columns below which cells are not shrunk; rows are stacked instead


@dataclass(frozen=True, slots=True)
class Column:
    """A column. ``grows``: it yields width first in a narrow window; ``wraps``: its cells wrap instead of being cut."""

    name: str
    right: bool = False
    style: str = ""
    grows: bool = False
    wraps: bool = False


def _cell_line(cell: Cell, style: str = "") -> Line:
    """A cell as a clean line, in the column's style unless it has its own."""
    if isinstance(cell, str):
        return ((clean(cell), style),) if cell else ()
    if len(cell) == 2 and isinstance(cell[0], str) and isinstance(cell[1], str):
        return line((cell[0], cell[1] or style))
    return line(*((text, own or style) for text, own in cell))


def _column_widths(natural: Sequence[int], columns: Sequence[Column], room: int | None) -> list[int] | None:
    """Widths of the table's columns; None if even the narrowest layout does not fit."""
    if room is None:
        return list(natural)
    sizes = [min(size, room) for size in natural]
    soft = [i for i, column in enumerate(columns) if column.grows or column.wraps]
    soft = soft or [i for i, column in enumerate(columns) if not column.right]
    over = sum(sizes) + len(GAP) * (len(sizes) - 1) - room
    while over > 0:
        widest = max(soft, key=lambda i: sizes[i], default=None)
        if widest is None or sizes[widest] <= NARROWEST:
            return None
        sizes[widest] -= 1
        over -= 1
    return sizes


def _stacked(columns: Sequence[Column], rows: Sequence[Sequence[Line]], room: int) -> list[Line]:
    """Each row as a list of names and values, for windows too narrow for a table."""
    drawn: list[Line] = []
    for row in rows:
        for column, cell in zip(columns, row, strict=True):
            if width(cell):
                drawn += fold(line((f"{column.name} " if column.name else "", "dim"), *_unindented(cell)), room, " ")
        drawn.append(())
    return drawn[:-1]


def _unindented(spans: Line) -> Line:
    """The line without the spaces that indent it in a table."""
    return ((spans[0][0].lstrip(), spans[0][1]), *spans[1:])


def _row(
    parts: Sequence[Line], widths: Sequence[int], columns: Sequence[Column], sizes: Sequence[int], unicode: bool
) -> list[Line]:
    """The lines of one table row: several only if a cell wraps."""
    if all(map(le, widths, sizes)):
        return [_side_by_side(parts, widths, columns, sizes)]
    stacks = [
        fold(part, size) if column.wraps else [clip(part, size, unicode)]
        for part, column, size in zip(parts, columns, sizes, strict=True)
    ]
    rows = [[stack[index] if index < len(stack) else () for stack in stacks] for index in range(max(map(len, stacks)))]
    return [_side_by_side(row, [width(part) for part in row], columns, sizes) for row in rows]


def _side_by_side(
    parts: Sequence[Line], widths: Sequence[int], columns: Sequence[Column], sizes: Sequence[int]
) -> Line:
    """Clean lines side by side, each padded to its column's width."""
    spans: list[Span] = []
    for part, taken, column, size in zip(parts, widths, columns, sizes, strict=True):
        blank = " " * (size - taken)
        spans += ((blank, ""), *part, (GAP, "")) if column.right else (*part, (blank + GAP, ""))
    return _stripped(spans)


def _stripped(spans: list[Span]) -> Line:
    """The line without trailing spaces."""
    while spans:
        text, style = spans.pop()
        if text := text.rstrip():
            return (*spans, (text, style))
    return ()


def draw(rows: Iterable[Line], screen: Screen) -> str:
    """Lines as one text for the screen, each cut to the window, without a final newline."""
    return "\n".join(screen.paint(clip(row, screen.width, screen.unicode)) for row in rows)


def table_lines(columns: Sequence[Column], rows: Iterable[Sequence[Cell]], screen: Screen) -> list[Line]:
    """A table as lines, with a header if any column has a name."""
    body = [[_cell_line(cell, column.style) for cell, column in zip(row, columns, strict=True)] for row in rows]
    widths = [[width(part) for part in row] for row in body]
    names = [cells(column.name) for column in columns]
    natural = [max(each) for each in zip(names, *widths, strict=True)]
    sizes = _column_widths(natural, columns, screen.width)
    if sizes is None:
        return _stacked(columns, body, screen.width or 1)
    if any(names):
        body, widths = [[line((column.name, "dim")) for column in columns], *body], [names, *widths]
    drawn = zip(body, widths, strict=True)
    return [row for parts, taken in drawn for row in _row(parts, taken, columns, sizes, screen.unicode)]


def table(columns: Sequence[Column | str], rows: Iterable[Sequence[Cell]], screen: Screen) -> str:
    """A table as text. On a pipe it is aligned, nothing is cut or wrapped, and each row is a line, for grep and awk."""
    return draw(table_lines([Column(c) if isinstance(c, str) else c for c in columns], rows, screen), screen)


def without_empty_columns(
    columns: Sequence[Column], rows: Sequence[Sequence[Cell]], screen: Screen
) -> tuple[list[Column], list[list[Cell]]]:
    """Columns and rows without the empty columns. On a pipe all columns stay, because programs count them."""
    kept = [i for i in range(len(columns)) if not screen.terminal or any(width(_cell_line(row[i])) for row in rows)]
    return [columns[i] for i in kept], [[row[i] for i in kept] for row in rows]


def table_with_details(
    columns: Sequence[Column], rows: Sequence[Sequence[Cell]], last: str, details: Sequence[str], screen: Screen
) -> list[list[Line]]:
    """A table as groups of lines, header first, with a detail for each row in a column named ``last``.

    If that column does not fit, the details are printed below the rows, indented, instead of being cut.
    """
    wide = [*columns, Column(last, grows=True)]
    full = [[*row, (detail, "dim")] for row, detail in zip(rows, details, strict=True)]
    sizes = [
        max(width(_cell_line(cell)) for cell in column)
        for column in zip(*([column.name for column in wide], *full), strict=True)
    ]
    drawn = table_lines(columns, rows, screen)
    if len(drawn) != len(rows) + 1 or screen.width is None or sum(sizes) + len(GAP) * (len(sizes) - 1) <= screen.width:
        return [[row] for row in table_lines(wide, full, screen)]
    below = [fold(line(GAP, (detail, "dim")), screen.width, GAP) if detail else [] for detail in details]
    return [drawn[:1], *([row, *more] for row, more in zip(drawn[1:], below, strict=True))]


Told = tuple[str, str, str]
"""A row of text: its subject, the palette style of its words, the words."""


def named_lines(told: Sequence[Told], screen: Screen) -> list[Line]:
    """The rows as lines: names in one column, words wrapped beside it."""
    wide = max((cells(name) for name, _, _ in told), default=0) + len(GAP)
    indent = " " * wide
    return [
        row
        for name, style, words in told
        for row in fold(line((name.ljust(wide), "dim"), (words, style)), screen.width, indent)
    ]


def bar_cell(amount: float, whole: float, columns: int, style: str, screen: Screen) -> Line:
    """A bar for a cell; empty without a terminal, since a bar is only for eyes."""
    if not screen.terminal or columns <= 0:
        return ()
    filled, rest = figures.bar(amount, whole, columns, screen.unicode)
    return line((filled, style), (rest, "dim"))
