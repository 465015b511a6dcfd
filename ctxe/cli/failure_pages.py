"""Failures for people and programs: a table, a page, a timeline, a JSON object."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ctxe.project import Project
    from ctxe.project.memory.types import Group
    from ctxe.terminal.screen import Screen


def to_json(group: Group) -> dict[str, Any]:
    """A failure as a JSON object."""
    entry = group.entry
    return {
        "signature": group.signature,
        "id": entry.id,
        "ids": [other.id for other in group.entries],
        "status": group.status,
        "title": entry.title,
        "command": entry.command,
        "error": entry.error,
        "tried": entry.tried,
        "outcome": entry.outcome,
        "fix": group.fix,
        "files": list(group.files),
        "seen": group.seen,
        "first_seen": group.first,
        "last_seen": group.last,
    }


def table_of(groups: Sequence[Group], screen: Screen) -> str:
    """Failures as a table; on a terminal, fix and files are below each row where they do not fit beside it."""
    from ctxe.terminal.figures import age
    from ctxe.terminal.tables import Cell, Column, draw, table, table_with_details

    now = time.time()
    styles = {"open": "bad", "resolved": "good"}
    rows: list[list[Cell]] = [
        [
            group.signature[:8],
            (group.status, styles.get(group.status, "dim")),
            str(group.seen),
            age(group.last, now) if group.last else "",
            group.entry.title,
        ]
        for group in groups
    ]
    columns = [Column("failure", style="accent"), Column("status"), Column("seen", right=True)]
    columns += [Column("last", right=True, style="dim"), Column("what", grows=True)]
    fixes_and_files = [(group.fix, _files(group.files)) for group in groups]
    if not screen.terminal:
        full_rows = [[*row, *fix_and_files] for row, fix_and_files in zip(rows, fixes_and_files, strict=True)]
        return table([*columns, Column("fix"), Column("files")], full_rows, screen)
    details = [
        " · ".join(filter(None, (fix and f"fix: {fix}", files and f"in {files}"))) for fix, files in fixes_and_files
    ]
    return draw([row for group in table_with_details(columns, rows, "", details, screen) for row in group], screen)


def _files(files: Sequence[str]) -> str:
    """The name of the first file, and how many more there are."""
    names = [file.rpartition("/")[2] for file in files]
    return (names[0] + (f" +{len(names) - 1}" if len(names) > 1 else "")) if names else ""


def timeline(moments: Iterable[Mapping[str, Any]], screen: Screen) -> str:
    """Events with their times as a table."""
    from ctxe.terminal.tables import Cell, Column, table

    rows: list[list[Cell]] = [
        [
            str(moment["at"])[:16].replace("T", " "),
            moment["session"],
            str(moment["turn"]),
            str(moment["step"]),
            moment["says"],
        ]
        for moment in moments
    ]
    numbers = [Column("turn", right=True), Column("step", right=True)]
    return table([Column("when", style="dim"), "session", *numbers, Column("what", grows=True)], rows, screen)


def page(project: Project, screen: Screen, group: Group) -> str:
    """A whole failure: how often and when it was seen, then every entry about it."""
    from ctxe.cli.memory_pages import entry_page
    from ctxe.terminal.figures import plural
    from ctxe.terminal.style import line
    from ctxe.terminal.tables import draw

    now = time.time()
    times = f"seen {plural(group.seen, 'time')}"
    if group.first:
        times += f", first {_ago(group.first, now)}, last {_ago(group.last, now)}"
    head = draw([line((group.signature[:8], "accent"), f"  {group.status}, {times}")], screen)
    return "\n\n".join((head, *(entry_page(project, screen, entry.id) for entry in group.entries)))


def _ago(then: float, now: float) -> str:
    from ctxe.terminal.figures import age

    text = age(then, now)
    return f"{text} ago" if text[-1] in "mhdw" and text != "now" else text
