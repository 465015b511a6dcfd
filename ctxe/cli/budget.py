"""``ctxe budget``: the account of the request that would be sent, or of one that was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from ctxe.cli.invocation import Invocation
from ctxe.cli.output import JsonOption, print_json
from ctxe.domain.errors import SessionError

if TYPE_CHECKING:
    from ctxe.domain.ledger import Ledger, Row
    from ctxe.domain.model import Prices


def register(app: typer.Typer) -> None:
    """Add the ``budget`` command."""
    app.command("budget", help="What the next request would hold, per section and per chunk, and why.")(budget)


def budget(
    context: typer.Context,
    task: Annotated[list[str] | None, typer.Argument(help="the words you would say")] = None,
    explain: Annotated[bool, typer.Option("--explain", help="Every chunk, with why it is in or out.")] = False,
    as_json: JsonOption = False,
    window: Annotated[int, typer.Option("--budget", help="Window in tokens: request and reply.")] = 0,
    model: Annotated[str, typer.Option("--model", help="provider/name")] = "",
    session: Annotated[str, typer.Option("--session", help="A past session instead.")] = "",
    step: Annotated[int, typer.Option("--step", help="Its request number, from 1; the last when left out.")] = 0,
) -> None:
    """Offline; the same code composes the request that is really sent. Raises BudgetError."""
    invocation = Invocation.of(context)
    flags: dict[str, Any] = {"model": {"name": model}} if model else {}
    project = invocation.project(flags | ({"budget": {"window": window}} if window else {}))
    ledger = _past(project, session, step) if session else project.preview(" ".join(task or []))
    prices = project.prices(ledger.model)
    if as_json:
        print_json(to_json(ledger, prices))
        return
    from ctxe.terminal.budget import ledger_view

    screen = invocation.screen()
    screen.say(ledger_view(ledger, screen, explain, prices))


def _past(project: Any, session: str, step: int) -> Ledger:
    from ctxe.project.sessions import ledgers, path_of

    found = ledgers(path_of(project.place.sessions, session))
    if not found or step > len(found):
        raise SessionError(f"session {session} sent {len(found)} requests", "--step counts from 1")
    return found[step - 1]


def to_json(ledger: Ledger, prices: Prices | None) -> dict[str, Any]:
    """A ledger as the public contract has it; the tokens of all chunks sum to ``used``."""
    sections: dict[str, list[Row]] = {}
    for row in ledger.rows:
        sections.setdefault(row.section, []).append(row)
    return {
        "model": ledger.model,
        "window": ledger.window,
        "reserve": ledger.reserve,
        "usable": ledger.usable,
        "used": ledger.used,
        "sections": [_section(name, rows, ledger) for name, rows in sections.items()],
        "cost": _cost(ledger, prices),
        "exact": ledger.exact,
    }


def _section(name: str, rows: list[Row], ledger: Ledger) -> dict[str, Any]:
    tokens = sum(row.given for row in rows)
    return {
        "name": name,
        "priority": int(min(row.priority for row in rows)),
        "tokens": tokens,
        "share": round(tokens / ledger.usable, 4) if ledger.usable else 0.0,
        "chunks": [
            {"id": row.chunk, "tokens": row.given, "tier": row.tier, "why": row.why, "cached": row.cached}
            for row in rows
            if row.given
        ],
        "left_out": [{"id": row.chunk, "tokens": row.asked, "why": row.why} for row in rows if not row.given],
    }


def _cost(ledger: Ledger, prices: Prices | None) -> dict[str, float | None]:
    from ctxe.domain.conversation import Usage

    if prices is None:
        return {"input_usd": None, "cached_usd": None}
    plain = prices.cost(Usage(input=ledger.used))
    cached = prices.cost(Usage(input=ledger.used, cache_read=ledger.cached))
    return {"input_usd": round(plain, 6), "cached_usd": round(cached, 6)}
