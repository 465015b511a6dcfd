"""``ctxe replay``: context assembly as a service for other programs, JSON lines in and out."""

from __future__ import annotations

from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the ``replay`` command."""
    app.command("replay", help="Context assembly as a service: JSON lines in, JSON lines out.")(replay)


def replay(
    budget: Annotated[int, typer.Option("--budget", metavar="N", help="Window in tokens; 4,096 are the reply's.")],
    stdin: Annotated[bool, typer.Option("--stdin", help="Read from standard input (the only way so far).")] = True,
    model: Annotated[str, typer.Option("--model", metavar="M", help="Count as for this model.")] = "",
) -> None:
    """Answer every line with one line until the input ends. Raises ConfigError."""
    import sys

    from ctxe.project.models import vocabulary_for
    from ctxe.project.window.replaying import replayed
    from ctxe.serve.replay import Service, serve

    conversation, count = replayed(budget, vocabulary_for(model))
    if stdin:
        serve(Service(conversation, count), sys.stdin.buffer, sys.stdout.buffer)
