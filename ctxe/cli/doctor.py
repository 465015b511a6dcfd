"""``ctxe doctor``: whether everything works here, and how to fix what does not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ctxe.cli.invocation import Invocation
from ctxe.cli.output import JsonOption, print_json
from ctxe.domain.errors import ConfigError

if TYPE_CHECKING:
    from ctxe.project.health import Finding


def register(app: typer.Typer) -> None:
    """Add the ``doctor`` command."""
    app.command("doctor", help="Check that everything works here.")(doctor)


def doctor(
    context: typer.Context,
    check: Annotated[bool, typer.Option("--check", help="Also ask the model's host one free question.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Exit code 1 when something must be fixed."""
    invocation = Invocation.of(context)
    found = _found(invocation, reach=check)
    if as_json:
        print_json([{"name": c.name, "state": c.state, "says": c.says, "hint": c.hint} for c in found])
    else:
        from ctxe.terminal.tables import Cell, Column, table

        screen = invocation.screen()
        styles = {"ok": "good", "note": "warn", "fail": "bad"}
        rows: list[list[Cell]] = [
            [(c.state, styles[c.state]), c.name, c.says + (f" ({c.hint})" if c.hint else "")] for c in found
        ]
        screen.say(table(["", "what", Column("how it is", grows=True, wraps=True)], rows, screen))
    if any(c.state == "fail" for c in found):
        raise typer.Exit(1)


def _found(invocation: Invocation, *, reach: bool) -> list[Finding]:
    """The findings of all checks; unreadable settings are a finding too, and then the only one."""
    from ctxe.project.health import Finding, checks

    try:
        project = invocation.project()
    except ConfigError as error:
        return [Finding("settings", "fail", f"{error.message}; nothing else is looked at before", error.hint)]
    return list(checks(project, reach=reach))
