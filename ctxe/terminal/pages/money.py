"""Money as lines and tables: of a session, its newest and next request, its limit, and of all sessions of a project."""

from __future__ import annotations

from collections.abc import Sequence

from ctxe.domain.conversation import Usage
from ctxe.domain.past import Forecast, Past, SentRequest, known_total
from ctxe.terminal import figures
from ctxe.terminal.screen import Screen
from ctxe.terminal.style import fold, line
from ctxe.terminal.tables import Cell, Column, draw, named_lines, table

Spent = tuple[str, int, Usage, float | None, float | None]
"""A row of a table: name, replies, tokens, dollars, dollars without a cache."""

RIGHT = ("replies", "input", "cached", "output", "cost", "without cache")
SHORT = ("calls", "input", "cached", "output", "cost", "uncached")
NARROW = 66
"""Columns of a window below which the headers are abbreviated."""


def money_view(
    past: Past, ahead: Forecast | None, limit: float, project: tuple[float | None, int], screen: Screen
) -> str:
    """The cost of a session: so far, its newest request, the next one, and its ``limit`` (dollars, 0: none).

    ``project`` are the dollars and the number of all sessions of the project.
    """
    rows = [
        ("session", "", _session(past)),
        *([("request", "", _request(past.requests[-1], ahead))] if past.requests else []),
        *([("limit", *_limit(past.usd or 0.0, limit))] if limit else []),
        ("project", "", f"{usd(project[0])} in {figures.plural(project[1], 'session')}"),
    ]
    return draw(named_lines(rows, screen), screen)


def money_table(by: str, rows: Sequence[Spent], screen: Screen) -> str:
    """The cost by model, step or whatever ``by`` names, and a line for the total."""
    heads = SHORT if (screen.width or NARROW) < NARROW else RIGHT
    columns = [Column(by, grows=by in ("model", "step")), *(Column(name, right=True) for name in heads)]
    body: list[list[Cell]] = []
    for name, replies, use, paid, plain in rows:
        shares = [figures.size(use.input), figures.percent(use.cache_read, use.input), figures.size(use.output)]
        body.append([name, f"{replies:,}", *shares, usd(paid), usd(plain)])
    use = sum((use for _, _, use, _, _ in rows), Usage())
    paid, plain = known_total(row[3] for row in rows), known_total(row[4] for row in rows)
    saved = f", {usd(plain)} without the cache" if plain is not None else ""
    cached = figures.percent(use.cache_read, use.input)
    note = line((f"{usd(paid)} in all{saved}; {cached} of the input came from the cache{_written(use)}", "strong"))
    return "\n".join([table(columns, body, screen), draw(fold(note, screen.width), screen)])


def _written(use: Usage) -> str:
    """Tokens written to the cache; keeping them for an hour costs more than the default minutes."""
    hour = f", {figures.size(use.cache_write_1h)} of it for an hour" if use.cache_write_1h else ""
    return f", {figures.size(use.cache_write)} tokens were written to it{hour}" if use.cache_write else ""


def usd(dollars: float | None) -> str:
    """Dollars, or "no price known"."""
    return "no price known" if dollars is None else figures.money(dollars)


def _session(past: Past) -> str:
    if not past.requests:
        return "nothing sent yet"
    usage = past.usage
    plain = f" ({usd(past.plain_usd)} without a cache)" if past.plain_usd is not None else ""
    cached = figures.percent(usage.cache_read, usage.input)
    tokens = f"{figures.size(usage.input)} tokens in, {cached} from the cache; {figures.size(usage.output)} out"
    return f"{usd(past.usd)}{plain} for {figures.plural(len(past.requests), 'request')}; {tokens}"


def _request(newest: SentRequest, ahead: Forecast | None) -> str:
    coming = f"; the next about {usd(ahead.next_usd)} and its answer" if ahead and ahead.next_usd else ""
    return f"the newest {usd(newest.ledger.usd)}{coming}"


def _limit(spent: float, limit: float) -> tuple[str, str]:
    style = "bad" if spent >= limit else "warn" if spent >= 0.8 * limit else ""
    return style, f"{figures.money(limit)} for this session, {figures.percent(spent, limit)} of it spent"
