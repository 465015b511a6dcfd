"""``ctxe init``: set ctxe up in a repository."""

from __future__ import annotations

from typing import Annotated

import typer

from ctxe.cli.invocation import Invocation


def register(app: typer.Typer) -> None:
    """Add the ``init`` command."""
    app.command("init", help="Set ctxe up in this repository.")(init)


def init(
    context: typer.Context,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing.")] = False,
) -> None:
    """Make the memory folder visible to git, trust the folder, and offer a model server on this machine.

    Raises StoreError.
    """
    from ctxe.project.models import choice
    from ctxe.terminal.style import fold, line
    from ctxe.terminal.tables import draw

    invocation = Invocation.of(context)
    project = invocation.project()
    screen = invocation.screen()
    project.store.share()
    project.trust()
    text = f"{project.place.memory} holds this project's memory; git tracks it, except sessions and cache"
    screen.say(draw(fold(line(text), screen.width), screen))
    if not yes and screen.keyboard:
        from ctxe.cli.offer import offer_local

        offer_local(project, screen)
    chosen = choice(invocation.project())
    screen.say(f"model: {chosen.name} ({chosen.why})")
    screen.say("next: `ctxe chat`, or `ctxe budget` to see what it would send")
