"""``ctxe pack``: the context of a task as one text, to paste or pipe into another tool."""

from __future__ import annotations

from typing import Annotated

import typer

from ctxe.cli.invocation import Invocation
from ctxe.cli.output import JsonOption, print_json


def register(app: typer.Typer) -> None:
    """Add the ``pack`` command."""
    app.command("pack", help="The context of a task as one text, for another tool; no model is asked.")(pack)


def pack(
    context: typer.Context,
    task: Annotated[list[str] | None, typer.Argument(help="the task in words; standard input when left out")] = None,
    budget: Annotated[int, typer.Option("--budget", help="Tokens (o200k_base), a hard cap.")] = 0,
    as_json: JsonOption = False,
) -> None:
    """Offline; the text goes to standard output, its ledger to standard error. Raises BudgetError, ConfigError."""
    from ctxe.cli.plan_options import from_stdin
    from ctxe.domain.errors import ConfigError
    from ctxe.project.window.packing import LEAST, USUAL, bundle, to_json
    from ctxe.terminal.figures import size
    from ctxe.terminal.progress import progress

    invocation = Invocation.of(context)
    project, screen = invocation.project(), invocation.screen()
    if budget and budget < LEAST:
        raise ConfigError(f"--budget {budget} is too small for context", f"give {LEAST} tokens or more")
    words = " ".join(task or ()) or from_stdin("pack")
    with progress(screen, "indexing") as advance:
        packed = bundle(project, words, budget or USUAL, advance)
    facts = to_json(packed)
    if as_json:
        print_json(facts)
        return
    screen.pass_through(packed.text.removesuffix("\n"))
    parts = [f"{section['name']} {size(section['tokens'])}" for section in facts["sections"]]
    screen.tell(" · ".join([f"{packed.tokens:,} of {packed.budget:,} tokens", *parts]))
