"""``ctxe memory show``: prints memory for people or programs. Needs no Typer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ctxe.cli.invocation import Invocation
from ctxe.cli.json_output import print_json
from ctxe.cli.option_parser import OptionParser
from ctxe.domain.value import dataclass

if TYPE_CHECKING:
    from ctxe.project import Project
    from ctxe.terminal.screen import Screen

OPTIONS = OptionParser(
    {"--all": "all_", "--today": "today", "--weeks": "weeks", "--sources": "sources", "--json": "as_json"},
    {"--kind": "kind"},
)


@dataclass(slots=True)
class MemoryOptions:
    """The parsed command line of ``ctxe memory show``."""

    entry: str = ""
    kind: str = ""
    all_: bool = False
    today: bool = False
    weeks: bool = False
    sources: bool = False
    as_json: bool = False


def parse_words(words: list[str]) -> MemoryOptions | None:
    """Parse a plain command line; None if Typer must parse it, as for every other command of the group."""
    parsed = OPTIONS.parse(words[1:]) if words[:1] == ["show"] else None
    return None if parsed is None or len(parsed[1]) > 1 else MemoryOptions(" ".join(parsed[1]), **parsed[0])


def show(invocation: Invocation, options: MemoryOptions) -> None:
    """Print the memory. Raises StoreError."""
    project = invocation.project()
    if options.as_json:
        print_json(_json(project, options))
    else:
        screen = invocation.screen()
        screen.say(_page(project, screen, options))


def _json(project: Project, wanted: MemoryOptions) -> object:
    from ctxe.cli import memory_pages
    from ctxe.project.memory import memories, standing

    if wanted.sources:
        from dataclasses import asdict

        loaded = standing.sources(project)
        return {"instructions": list(map(asdict, loaded.rules)), "memory": loaded.pieces, "notices": loaded.notices}
    if wanted.today:
        _, lines = memories.today(project)
        return [{"id": line.id, "at": line.created, "session": line.session, "text": line.text} for line in lines]
    if wanted.weeks:
        return memories.weeks(project)
    if wanted.entry:
        return memories.entry_object(project, wanted.entry)
    return [memory_pages.public_row(row) for row in memories.rows(project, wanted.kind, all_=wanted.all_)]


def _page(project: Project, screen: Screen, wanted: MemoryOptions) -> str:
    from ctxe.cli import memory_pages
    from ctxe.project.memory import memories

    if wanted.sources:
        return memory_pages.sources_page(project, screen)
    if wanted.today:
        day, lines = memories.today(project)
        return memory_pages.log_page(day, lines, screen)
    if wanted.weeks:
        text = "\n\n".join("\n  ".join((week, *lines)) for week, lines in memories.weeks(project).items())
        return memory_pages.print_prose(text or "no older days", screen)
    if wanted.entry:
        return memory_pages.entry_page(project, screen, wanted.entry)
    return memory_pages.page(project, screen, wanted.kind, all_=wanted.all_)
