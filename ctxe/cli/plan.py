"""``ctxe plan``: the files that a task needs, with reasons, within a token budget."""

from __future__ import annotations

from typing import Annotated

import typer

from ctxe.cli.invocation import Invocation
from ctxe.cli.output import JsonOption


def register(app: typer.Typer) -> None:
    """Add the ``plan`` command."""
    app.command("plan", help="Which files a task needs, best first, with reasons; no model is asked.")(plan)


def plan(
    context: typer.Context,
    task: Annotated[list[str] | None, typer.Argument(help="the task in words; standard input when left out")] = None,
    budget: Annotated[int, typer.Option("--budget", help="Tokens (o200k_base), a hard cap; 0: as in a session.")] = 0,
    as_json: JsonOption = False,
    show: Annotated[bool, typer.Option("--show", help="Print what the model would see of the files.")] = False,
    every: Annotated[bool, typer.Option("--all", help="List every file on a terminal, not only the first.")] = False,
) -> None:
    """Offline; the index is updated first. Raises ConfigError."""
    from ctxe.cli import plan_options

    plan_options.show(
        Invocation.of(context), plan_options.PlanOptions(" ".join(task or []), budget, as_json, show, every)
    )
