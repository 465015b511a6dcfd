"""``ctxe completion``: a script that completes ctxe's commands in a shell."""

from __future__ import annotations

from typing import Annotated

import typer

VARIABLE = "_CTXE_COMPLETE"
SHELLS = ("bash", "zsh", "fish")


def register(app: typer.Typer) -> None:
    """Add the ``completion`` command."""
    app.command("completion", help="A script that completes ctxe's commands in your shell.")(completion)


def register_shells() -> None:
    """Let Typer answer completion requests of shells; by default it does so only when it also adds its own options."""
    from typer._completion_classes import completion_init

    completion_init()


def completion(shell: Annotated[str, typer.Argument(help="bash, zsh or fish")]) -> None:
    """Print the completion script for a shell."""
    from typer._completion_shared import get_completion_script

    if shell not in SHELLS:
        raise typer.BadParameter(", ".join(SHELLS), param_hint="shell")
    typer.echo(get_completion_script(prog_name="ctxe", complete_var=VARIABLE, shell=shell))
