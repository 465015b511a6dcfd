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
        raise ConfigError(f"index knows no {what!r}", "ctxe index, or ctxe index status")
    invocation = Invocation.of(context)
    project, screen = invocation.project(), invocation.screen()
    if what:
        found = indexing.status(project)
    else:
        try:
            with _ended_in_order(), progress(screen, "indexing") as advance:
                found = plan.build_index(project, advance)
        except (KeyboardInterrupt, SystemExit):
            screen.tell("what is read so far is kept: `ctxe index` goes on from there")
            raise
    if as_json:
        print_json(found)
        return
    stale = found["stale"] + found["gone"]
    lines = [
        f"{plural(found['files'], 'file')}, {plural(found['commits'], 'past commit')}, "
        f"{data(found['bytes'])} in {found['path']}",
        f"{stale:,} changed since" if stale else "up to date",
    ]
    if "seconds" in found:
        lines.append(f"{found['scanned']:,} read, {found['removed']:,} forgotten in {seconds(found['seconds'])}")
    screen.say("\n".join([*lines, *filter(None, [found["note"]])]))


@contextlib.contextmanager
def _ended_in_order() -> Iterator[None]:
    """SIGTERM becomes SystemExit meanwhile, so that what was read is kept."""

    def leave(number: int, _: FrameType | None) -> None:
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
