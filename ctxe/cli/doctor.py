"""``ctxe doctor``: checks whether everything works here, with hints on how to fix problems."""

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
    findings = _findings(invocation, reach=check)
    if as_json:
        print_json(
            [
                {"name": finding.name, "state": finding.state, "says": finding.says, "hint": finding.hint}
                for finding in findings
            ]
        )
    else:
        from ctxe.terminal.tables import Cell, Column, table

        screen = invocation.screen()
        styles = {"ok": "good", "note": "warn", "fail": "bad"}
        rows: list[list[Cell]] = [
            [
                (finding.state, styles[finding.state]),
                finding.name,
                finding.says + (f" ({finding.hint})" if finding.hint else ""),
            ]
            for finding in findings
        ]
        screen.say(table(["", "what", Column("how it is", grows=True, wraps=True)], rows, screen))
    if any(finding.state == "fail" for finding in findings):
        raise typer.Exit(1)


def _findings(invocation: Invocation, *, reach: bool) -> list[Finding]:
    """The findings of all checks; unreadable settings are a finding too, and then the only one."""
    from ctxe.project.health import Finding, checks

    try:
        project = invocation.project()
    except ConfigError as error:
        return [Finding("settings", "fail", f"{error.message}; the other checks need them", error.hint)]
    return list(checks(project, reach=reach))
