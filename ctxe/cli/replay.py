"""``ctxe replay``: context assembly as a service for other programs, JSON lines in and out."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from ctxe.domain.errors import ConfigError

LEAST = 5_000
"""The reserve of 4,096 tokens and something to say."""


def register(app: typer.Typer) -> None:
    """Add the ``replay`` command."""
    app.command("replay", help="Context assembly as a service: one JSON object a line in, one out.")(replay)


def replay(
    stdin: Annotated[bool, typer.Option("--stdin", help="Read the conversation from standard input.")] = False,
    budget: Annotated[int, typer.Option("--budget", help="Window in tokens; 4,096 of them are the reply's.")] = 0,
    model: Annotated[str, typer.Option("--model", help="Count as this model does (default: o200k_base).")] = "",
) -> None:
    """Offline; touches no file. Raises ConfigError."""
    from ctxe.serve.replay import serve

    if not stdin:
        raise ConfigError("ctxe replay serves other programs", "ctxe replay --stdin --budget N")
    if budget < LEAST:
        raise ConfigError(f"--budget {budget} leaves no room", f"give at least {LEAST:,} tokens")
    serve(budget, model, sys.stdin.buffer, sys.stdout.buffer)
