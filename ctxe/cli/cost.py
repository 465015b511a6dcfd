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
    sums = _by_step(project, session) if by == "step" else _sums(project, by, session)
    if as_json:
        print_json({name: _to_json(row) for name, row in sums.items()})
        return
    screen = invocation.screen()
    if not sums:
        screen.say("nothing has been spent here yet")
        return
    rows = [(name, row.replies, row.usage, row.usd, row.plain_usd) for name, row in sums.items()]
    screen.say(money_table(by, rows, screen))


def _sums(project: Project, by: By, session: str) -> dict[str, Sum]:
    """Sums by session, day or model, sorted by name; of all sessions or of one."""
    from ctxe.project.sessions import path_of, summaries, summary, sums

    sessions = [summary(path_of(project.place.sessions, session))] if session else summaries(project)
    return sums(
        project,
        sessions,
        lambda session, spent: {"session": session.id, "day": spent.at[:10], "model": spent.model}[by],
    )


def _by_step(project: Project, session: str) -> dict[str, Sum]:
    """The cost of one session (default: the one used last) by turn and step, and of models consulted in between."""
    from ctxe.domain.conversation import Usage
    from ctxe.project.sessions import Sum, path_of
    from ctxe.project.window.past import past

    sums: dict[str, Sum] = {}
    session_past = past(project, path_of(project.place.sessions, session))
    consulted: dict[int, dict[str, Sum]] = {}
    for consultation in session_past.consultations:
        rows = consulted.setdefault(consultation.before, {})
        row = Sum(consultation.replies, consultation.usage, consultation.usd, consultation.plain_usd)
        rows[consultation.purpose] = rows.get(consultation.purpose, Sum()) + row
    for request in session_past.requests:
        key, usage = f"{request.turn}.{request.step}", request.ledger.usage or Usage()
        sums |= {f"{purpose} before {key}": row for purpose, row in consulted.pop(request.number, {}).items()}
        sums[key] = sums.get(key, Sum()) + Sum(1, usage, request.ledger.usd, request.plain_usd)
    rest = ((purpose, before, row) for before, rows in consulted.items() for purpose, row in rows.items())
    return sums | {f"{purpose} after request {before - 1}": row for purpose, before, row in rest}


def _to_json(row: Sum) -> dict[str, Any]:
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
