"""``ctxe budget``: the ledger of the request that would be sent, or of one that was."""

from __future__ import annotations

from typing import Annotated

import typer

from ctxe.cli.invocation import Invocation
from ctxe.cli.output import JsonOption

SAYS = "What the next request would hold, per section and per chunk, and why."
ORDER = "P0 to P6 is the order in which sections give way where room is short: P6 first, P0 and P1 never."


def register(app: typer.Typer) -> None:
    """Add the ``budget`` command."""
    app.command("budget", help=f"{SAYS}\n\n{ORDER}")(budget)


def budget(
    context: typer.Context,
    task: Annotated[list[str] | None, typer.Argument(help="the words you would say")] = None,
    explain: Annotated[bool, typer.Option("--explain", help="Every chunk, with why it is in or out.")] = False,
    as_json: JsonOption = False,
    window: Annotated[int, typer.Option("--budget", help="Window in tokens: request and reply.", min=0)] = 0,
    model: Annotated[str, typer.Option("--model", help="The model that would answer, as for chat.")] = "",
    session: Annotated[str, typer.Option("--session", help="A past session instead.")] = "",
    step: Annotated[int, typer.Option("--step", help="Its request number, from 1; the last when left out.", min=0)] = 0,
) -> None:
    """Offline; the code is the same that composes real requests. Raises BudgetError."""
    from ctxe.cli.budget_options import BudgetOptions, show

    wanted = BudgetOptions(" ".join(task or []), explain, as_json, window, model, session, step)
    show(Invocation.of(context), wanted)
