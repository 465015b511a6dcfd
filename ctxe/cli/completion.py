"""``ctxe completion``: a script that completes ctxe's commands in a shell."""

from __future__ import annotations

from typing import Annotated

import typer

VARIABLE = "_CTXE_COMPLETE"
SHELLS = ("bash", "zsh", "fish")


def register(app: typer.Typer) -> None:
    """Add the ``completion`` command."""
    app.command("completion", help="A script that completes ctxe's commands in your shell.")(completion)


def know_shells() -> None:
    """Let Typer answer the shells that ask for completions; by itself it does so only for those it adds options for."""
    from typer._completion_classes import completion_init

    completion_init()


def completion(shell: Annotated[str, typer.Argument(help="bash, zsh or fish")]) -> None:
    """Print the script, for the place where your shell looks for completions."""
    from typer._completion_shared import get_completion_script

    if shell not in SHELLS:
        raise typer.BadParameter(", ".join(SHELLS), param_hint="shell")
    typer.echo(get_completion_script(prog_name="ctxe", complete_var=VARIABLE, shell=shell))
