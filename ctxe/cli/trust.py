"""``ctxe trust``: whether this folder's settings and instructions take effect."""

from __future__ import annotations

from typing import Annotated

import typer

from ctxe.cli.invocation import Invocation
from ctxe.cli.output import JsonOption, print_json


def register(app: typer.Typer) -> None:
    """Add the ``trust`` command."""
    app.command("trust", help="Trust this folder, or list what is trusted.")(trust)


def trust(
    context: typer.Context,
    revoke: Annotated[bool, typer.Option("--revoke", help="Stop trusting it.")] = False,
    list_: Annotated[bool, typer.Option("--list", help="Every folder that is trusted.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Trust the current folder, or stop trusting it, or list the trusted folders. Raises StoreError."""
    invocation = Invocation.of(context)
    project = invocation.project()
    screen = invocation.screen()
    if list_ or as_json:
        folders = project.trusted_folders()
        if as_json:
            print_json(folders)
        else:
            screen.say("\n".join(f"{folder}  since {since}" for folder, since in sorted(folders.items())) or "none")
        return
    project.trust(trusted=not revoke)
    screen.say(f"{project.root} is {'no longer ' if revoke else ''}trusted")
