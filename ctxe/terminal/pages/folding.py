"""Previews a fold, item by item: what stays whole, what becomes shorter, what the record replaces."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ctxe.domain.conversation import Usage
from ctxe.domain.ledger import Ledger, Row
from ctxe.domain.model import Prices
from ctxe.domain.value import dataclass
from ctxe.terminal import figures
from ctxe.terminal.screen import Screen
from ctxe.terminal.style import Line, fold, glyph, line
from ctxe.terminal.tables import Cell, Column, draw, table_lines

MOST = 30
"""Items that are listed, the largest changes first; the others are summed."""

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Item:
    """A part of the request: its tokens before and after, and whether the text is the same."""

    name: str
    before: int
    after: int
    same: bool


def fold_view(before: Ledger, after: Ledger, did: Mapping[str, str], screen: Screen, prices: Prices | None) -> str:
    """The items that change, what stays, and the total size and price. ``did`` describes the steps."""
    items = _items(before, after)
    changed = [item for item in items if not item.same]
    largest = sorted(changed, key=lambda item: -abs(item.before - item.after))
    shown, rest = [item for item in changed if item in largest[:MOST]], largest[MOST:]
    body: list[list[Cell]] = [
        [item.name, _number(item.before), _number(item.after), _change(item), (did.get(item.name, ""), "dim")]
        for item in shown
    ]
    right = (Column("before", right=True), Column("after", right=True))
    rows = table_lines([Column("item"), *right, Column(""), Column("", grows=True)], body, screen)
    if rest:
        sizes = f"{sum(i.before for i in rest):,} tokens before and {sum(i.after for i in rest):,} after"
        rows.append(line((f"and {len(rest)} more, {sizes}", "dim")))
    stays = [item.before for item in items if item.same]
    rows.append(line((f"{figures.plural(len(stays), 'item')} of {sum(stays):,} tokens stay as they are", "dim")))
    return draw([*rows, *fold(_total_line(before, after, prices, screen.unicode), screen.width)], screen)


def _items(before: Ledger, after: Ledger) -> list[Item]:
    """Every part of either request in the order in which they are sent.

    Text moved unchanged into the record stays the same.
    """
    was, will = _parts(before), _parts(after)
    for new in [key for key in will if key not in was]:
        if old := next((key for key in was if key not in will and _digests(was, key) == _digests(will, new)), None):
            will[old] = will.pop(new)
    nothing: list[Row] = []
    return [
        Item(
            key[1], _sum(was.get(key, nothing)), _sum(will.get(key, nothing)), _digests(was, key) == _digests(will, key)
        )
        for key in {**was, **will}
    ]


def _parts(ledger: Ledger) -> dict[Key, list[Row]]:
    """Rows that are in, by item regardless of the section. Headings are left out: they depend on what is below them."""
    found: dict[Key, list[Row]] = {}
    for row in ledger.rows:
        if row.given and row.chunk != "(heading)":
            found.setdefault((row.section if row.chunk.startswith("(") else "", row.chunk), []).append(row)
    return found


def _sum(rows: Iterable[Row]) -> int:
    return sum(row.given for row in rows)


def _digests(parts: Mapping[Key, Sequence[Row]], key: Key) -> list[str]:
    return [row.digest for row in parts.get(key, ())]


def _number(tokens: int) -> str:
    return f"{tokens:,}" if tokens else ""


def _change(item: Item) -> Cell:
    if not item.before:
        return "stands for them", "good"
    if not item.after:
        return "gives way", "bad"
    return ("shortened", "warn") if item.after < item.before and item.name != "record" else ("written anew", "good")


def _total_line(before: Ledger, after: Ledger, prices: Prices | None, unicode: bool) -> Line:
    """The total size before and after, and what the fold costs once and saves per request."""
    arrow, dot = glyph("arrow", unicode), glyph("dot", unicode)
    freed = before.used - after.used
    sizes = f"{before.used:,} {arrow} {after.used:,} tokens ({figures.percent(freed, before.used)} less)"
    if prices is None or freed <= 0 or not prices.input:
        return line((sizes, "strong"))
    anew = Usage(after.used, cache_read=after.cached, cache_write=after.used - after.cached)
    cached = prices.cost(Usage(after.used, cache_read=after.used))
    once, each = prices.cost(anew) - cached, prices.cost(Usage(before.used, cache_read=before.used)) - cached
    pays = f"costs {figures.money(once)} once, saves {figures.money(each)} with every request"
    return line((sizes, "strong"), f" {dot} {pays}")
