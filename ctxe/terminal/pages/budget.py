"""The ledger of a request for people: what is in, what it costs and why, and what was left out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ctxe.domain.conversation import Usage
from ctxe.domain.ledger import Ledger, Row
from ctxe.domain.model import Prices
from ctxe.domain.section import Priority
from ctxe.terminal import figures
from ctxe.terminal.screen import Screen
from ctxe.terminal.style import Line, cells, clip, fold, glyph, line
from ctxe.terminal.tables import Cell, Column, bar_cell, draw, table_lines

if TYPE_CHECKING:
    from ctxe.domain.past import SentRequest

ROOMY = 100
"""Columns from which on a reason is printed beside its chunk instead of below it."""
BESIDE = 35
"""Columns of a row without its name and its reason."""
INDENT = "    "
SECTION = Column("section", grows=True)
FIGURES = (Column("tokens", right=True), Column("share", right=True), Column(""), Column("cached"))
STYLES = {
    Priority.SYSTEM: "system",
    Priority.TOOLS: "system",
    Priority.TASK: "task",
    Priority.MEMORY: "memory",
    Priority.INJECTED: "injected",
    Priority.RECENT: "recent",
    Priority.OLDER: "older",
}


def by_section(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Rows grouped by section; sections and rows keep the order of the ledger."""
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(row.section, []).append(row)
    return groups


def _costs(ledger: Ledger, prices: Prices | None) -> str:
    """The price of the input without any cache, and with what the provider has cached; empty without a known price."""
    if prices is None:
        return ""
    uncached = prices.cost(Usage(input=ledger.used))
    cached = prices.cost(Usage(input=ledger.used, cache_read=ledger.cached))
    return f"{figures.money(uncached)} new" + (f", {figures.money(cached)} with cache" if ledger.cached else "")


def summary(ledger: Ledger, screen: Screen, prices: Prices | None = None) -> list[Line]:
    """The first lines: model and context window, tokens used, tokens cached, and the price."""
    dot = f" {glyph('dot', screen.unicode)} "
    about = "" if ledger.exact else glyph("about", screen.unicode)
    first = [f"window {ledger.window:,}", f"reserve {ledger.reserve:,}", f"usable {ledger.usable:,}"]
    second = [
        f"used {about}{ledger.used:,} of {ledger.usable:,} tokens ({figures.percent(ledger.used, ledger.usable)})",
        f"cached {ledger.cached:,} ({figures.percent(ledger.cached, ledger.used)})",
        *filter(None, [_costs(ledger, prices)]),
    ]
    if ledger.usage is not None and ledger.drift is not None:
        second.append(f"provider counted {ledger.usage.input:,} ({ledger.drift:+.1%})")
    drawn = fold(line((ledger.model, "strong"), (dot + dot.join(first), "dim")), screen.width)
    drawn += fold(line(dot.join(second)), screen.width)
    if ledger.broke:
        drawn += fold(line((f"cache broken: {ledger.broke}", "warn")), screen.width)
    return drawn


def stacked_bar(ledger: Ledger, screen: Screen) -> Line:
    """The whole window as one bar: a colour for each kind of section, the free part empty."""
    room = min(screen.width or 0, 100)
    if not screen.terminal or room < 10 or ledger.usable <= 0:
        return ()
    full, empty = glyph("full", screen.unicode), glyph("empty", screen.unicode)
    spans, drawn, total = [], 0, 0
    for rows in by_section(ledger.rows).values():
        total += sum(row.given for row in rows)
        upto = min(room, round(room * total / ledger.usable))
        spans.append((full * (upto - drawn), STYLES[rows[0].priority]))
        drawn = max(drawn, upto)
    return line(*spans, (empty * (room - drawn), "dim"))


def _chunk_rows(rows: Sequence[Row], most: int | None) -> list[list[Cell]]:
    """One row for each chunk that is in, indented; a reason wider than ``most`` columns is left out."""
    return [
        [
            f"  {row.chunk}",
            f"{row.given:,}",
            "",
            (row.tier if row.tier != "full" else "", "dim"),
            ("cached" if row.cached else "new", "dim"),
            (reason(row) if most is None or cells(reason(row)) <= most else "", "dim"),
        ]
        for row in rows
        if row.given
    ]


def reason(row: Row) -> str:
    """Why a row is in, and what in it is out of date."""
    return "; ".join(filter(None, [row.why, row.superseded and f"superseded: {row.superseded}"]))


def _superseded(ledger: Ledger, screen: Screen) -> list[Line]:
    """One line about file contents that are in the request although they are out of date."""
    rows = ledger.superseded
    if not rows:
        return []
    note = f"superseded text in {figures.plural(len(rows), 'chunk')}, until the next fold: {rows[-1].superseded}"
    more = f" and {len(rows) - 1:,} more (--explain)" if len(rows) > 1 else ""
    return [(), *fold(line((note + more, "dim")), screen.width)]


def _section_row(name: str, rows: Sequence[Row], ledger: Ledger) -> list[Cell]:
    """The row of one section; its cached share is in the column of a chunk's state."""
    given = sum(row.given for row in rows)
    cached = sum(row.given for row in rows if row.cached)
    return [
        (name, STYLES[rows[0].priority]),
        (f"{given:,}", "strong"),
        (figures.percent(given, ledger.used), "dim"),
        (f"P{int(rows[0].priority)}", "dim"),
        (figures.percent(cached, given) if cached else "", "dim"),
        (figures.plural(sum(1 for row in rows if row.given), "chunk"), "dim"),
    ]


def _section_table(ledger: Ledger, screen: Screen) -> list[Line]:
    """A row for each section, with its bar where there is room."""
    groups = by_section(ledger.rows)
    room = min(24, (screen.width or 0) - max(map(cells, groups), default=0) - 42)
    has_bars = screen.terminal and room >= 5
    body: list[list[Cell]] = []
    for name, rows in groups.items():
        given = sum(row.given for row in rows)
        bar: list[Cell] = [bar_cell(given, ledger.used, room, STYLES[rows[0].priority], screen)] if has_bars else []
        first, *rest = _section_row(name, rows, ledger)
        body.append([first, *bar, *rest])
    return table_lines([SECTION, *([Column("")] if has_bars else []), *FIGURES, Column("")], body, screen)


def _chunk_table(ledger: Ledger, screen: Screen) -> list[Line]:
    """A row for each section, followed by its chunks; in a narrow window, long reasons are below their chunks."""
    below = screen.width is not None and screen.width < ROOMY
    beside = (screen.width or 0) - max((cells(row.chunk) for row in ledger.rows if row.given), default=0) - BESIDE
    body: list[list[Cell]] = []
    reasons: list[str] = []
    for name, rows in by_section(ledger.rows).items():
        body += [_section_row(name, rows, ledger), *_chunk_rows(rows, beside if below else None)]
        reasons += ["", *(why if cells(why := reason(row)) > beside else "" for row in rows if row.given)]
    lines = table_lines([SECTION, *FIGURES, Column("why", wraps=not below)], body, screen)
    return _with_reasons(lines, reasons, screen) if below and len(lines) == len(body) + 1 else lines


def _with_reasons(drawn: Sequence[Line], reasons: Sequence[str], screen: Screen) -> list[Line]:
    """The lines of a table, header first, each followed by its reason if it has one."""
    below = [fold(line(INDENT, (words, "dim")), screen.width, INDENT) if words else [] for words in reasons]
    return [drawn[0], *(one for row, more in zip(drawn[1:], below, strict=True) for one in (row, *more))]


def _unplanned(ledger: Ledger, screen: Screen) -> list[Line]:
    """One line with the reason, if no file was planned."""
    planning = (row for row in ledger.rows if row.chunk in (f"{row.section}:plan", f"{row.section}:index"))
    reasons = [row.why for row in planning if not row.given]
    return [(), *fold(line((f"no files: {reasons[0]}", "warn")), screen.width)] if reasons else []


def _left_out(ledger: Ledger, screen: Screen, most: int | None) -> list[Line]:
    """What is not in the request, largest first, with the reason."""
    missing = sorted((row for row in ledger.rows if row.asked and not row.given), key=lambda row: -row.asked)
    if not missing:
        return []
    shown = missing if most is None else missing[:most]
    head = f"left out ({figures.plural(len(missing), 'chunk')}, {sum(row.asked for row in missing):,} tokens)"
    body: list[list[Cell]] = [[f"  {row.section}", row.chunk, f"{row.asked:,}", (row.why, "dim")] for row in shown]
    columns = [Column(""), Column("", grows=True), Column("", right=True), Column("", wraps=True)]
    more = [line((f"  and {len(missing) - len(shown):,} more (--explain)", "dim"))] if len(shown) < len(missing) else []
    return [(), line((head, "warn")), *table_lines(columns, body, screen), *more]


def ledger_lines(ledger: Ledger, screen: Screen, *, explain: bool = False, prices: Prices | None = None) -> list[Line]:
    """The whole view as lines; ``explain`` adds every chunk with its reason and everything left out."""
    strip = stacked_bar(ledger, screen)
    return [
        *summary(ledger, screen, prices),
        *([strip] if strip else []),
        (),
        *(_chunk_table if explain else _section_table)(ledger, screen),
        *_superseded(ledger, screen),
        *_unplanned(ledger, screen),
        *_left_out(ledger, screen, None if explain else 5),
    ]


def ledger_view(ledger: Ledger, screen: Screen, *, explain: bool = False, prices: Prices | None = None) -> str:
    """The output of ``ctxe budget`` and ``/context``.

    Shares are of the used tokens; the first lines show the window.
    """
    return draw(ledger_lines(ledger, screen, explain=explain, prices=prices), screen)


def sent_view(sent: SentRequest, screen: Screen) -> str:
    """The request that a ledger belongs to: its time, the user's words, and why it began an epoch."""
    dot = f" {glyph('dot', screen.unicode)} "
    facts = [f"turn {sent.turn}, step {sent.step}", sent.at[:19].replace("T", " "), sent.epoch_cause]
    head = line((f"request {sent.number}", "title"), (dot + dot.join(filter(None, facts)), "dim"))
    return draw(
        [
            *fold(head, screen.width),
            clip(line((f"{glyph('user', screen.unicode)} ", "accent"), sent.words), screen.width),
        ],
        screen,
    )
