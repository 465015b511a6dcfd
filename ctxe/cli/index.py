"""``ctxe index``: build or refresh the index of this repository, and report its state."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType
from typing import Annotated

import typer

from ctxe.cli.invocation import Invocation
from ctxe.cli.output import JsonOption, print_json
from ctxe.domain.errors import ConfigError


def register(app: typer.Typer) -> None:
    """Add the ``index`` command."""
    app.command("index", help="Build or refresh the index; `ctxe index status` only looks.")(index)


def index(
    context: typer.Context,
    what: Annotated[str, typer.Argument(metavar="[status]", help="status: only say how the index stands")] = "",
    as_json: JsonOption = False,
) -> None:
    """Can be interrupted at any time: finished work is kept. Raises ConfigError."""
    from ctxe.project.planning import indexing, plan
    from ctxe.terminal.figures import data, plural, seconds
    from ctxe.terminal.progress import progress

    if what not in ("", "status"):
        raise ConfigError(f"there is no `ctxe index {what}`", "ctxe index, or ctxe index status")
    invocation = Invocation.of(context)
    project, screen = invocation.project(), invocation.screen()
    if what:
        state = indexing.status(project)
    else:
        try:
            with _interruptible(), progress(screen, "indexing") as advance:
                state = plan.build_index(project, advance)
        except (KeyboardInterrupt, SystemExit):
            screen.tell("the files read so far are kept: `ctxe index` continues from there")
            raise
    if as_json:
        print_json(state)
        return
    stale = state["stale"] + state["gone"]
    lines = [
        f"{plural(state['files'], 'file')}, {plural(state['commits'], 'past commit')}, "
        f"{data(state['bytes'])} in {state['path']}",
        f"{stale:,} changed since" if stale else "up to date",
    ]
    if "seconds" in state:
        lines.append(f"{state['scanned']:,} read, {state['removed']:,} forgotten in {seconds(state['seconds'])}")
    screen.say("\n".join([*lines, *filter(None, [state["note"]])]))


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """SIGTERM becomes SystemExit within the block, so that the files read so far are kept."""

    def leave(number: int, _: FrameType | None) -> None:
        raise SystemExit(128 + number)

    handler_before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, handler_before)
