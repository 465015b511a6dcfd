"""``ctxe cost``: the cost and tokens of this project by session, day or model, or of one session by request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from ctxe.cli.invocation import Invocation
from ctxe.cli.output import JsonOption, print_json

if TYPE_CHECKING:
    from ctxe.project import Project
    from ctxe.project.sessions import Sum

By = Literal["session", "day", "model", "step"]


def register(app: typer.Typer) -> None:
    """Add the ``cost`` command."""
    app.command("cost", help="Cost and tokens by session, day and model, with and without the cache.")(cost)


def cost(
    context: typer.Context,
    by: Annotated[By, typer.Option("--by", help="session, day, model; step: of one session.")] = "day",
    session: Annotated[str, typer.Option("--session", metavar="ID", help="Only this session.")] = "",
    as_json: JsonOption = False,
) -> None:
    """The cost of this project's sessions. Raises SessionError."""
    from ctxe.terminal.pages.money import money_table

    invocation = Invocation.of(context)
    project = invocation.project()
    found = _by_step(project, session) if by == "step" else _sums(project, by, session)
    if as_json:
        print_json({name: _plain(row) for name, row in found.items()})
        return
    screen = invocation.screen()
    if not found:
        screen.say("nothing was spent here yet")
        return
    rows = [(name, row.replies, row.usage, row.usd, row.plain_usd) for name, row in found.items()]
    screen.say(money_table(by, rows, screen))


def _sums(project: Project, by: By, session: str) -> dict[str, Sum]:
    """Sums by session, day or model, sorted by name; of all sessions or of one."""
    from ctxe.project.sessions import path_of, summaries, summary, sums

    sessions = [summary(path_of(project.place.sessions, session))] if session else summaries(project)
    return sums(
        project, sessions, lambda one, spent: {"session": one.id, "day": spent.at[:10], "model": spent.model}[by]
    )


def _by_step(project: Project, session: str) -> dict[str, Sum]:
    """The cost of one session (default: the one used last) by turn and step, and of models consulted in between."""
    from ctxe.domain.conversation import Usage
    from ctxe.project.sessions import Sum, path_of
    from ctxe.project.window.past import past

    found: dict[str, Sum] = {}
    session_past = past(project, path_of(project.place.sessions, session))
    beside: dict[int, dict[str, Sum]] = {}
    for bought in session_past.consultations:
        rows = beside.setdefault(bought.before, {})
        row = Sum(bought.replies, bought.usage, bought.usd, bought.plain_usd)
        rows[bought.purpose] = rows.get(bought.purpose, Sum()) + row
    for one in session_past.requests:
        key, usage = f"{one.turn}.{one.step}", one.ledger.usage or Usage()
        found |= {f"{what} before {key}": row for what, row in beside.pop(one.number, {}).items()}
        found[key] = found.get(key, Sum()) + Sum(1, usage, one.ledger.usd, one.plain_usd)
    rest = ((what, before, row) for before, rows in beside.items() for what, row in rows.items())
    return found | {f"{what} after request {before - 1}": row for what, before, row in rest}


def _plain(row: Sum) -> dict[str, Any]:
    return {
        "replies": row.replies,
        "input": row.usage.input,
        "output": row.usage.output,
        "cache_read": row.usage.cache_read,
        "cache_write": row.usage.cache_write,
        "cache_write_1h": row.usage.cache_write_1h,
        "usd": row.usd,
        "usd_without_cache": row.plain_usd,
    }
