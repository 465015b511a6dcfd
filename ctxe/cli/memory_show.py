"""``ctxe memory show``: prints memory for people or programs. Needs no Typer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ctxe.cli.invocation import Invocation
from ctxe.cli.json_output import print_json
from ctxe.cli.option_parser import OptionParser
from ctxe.domain.value import dataclass

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
    read = OPTIONS.parse(words[1:]) if words[:1] == ["show"] else None
    return None if read is None or len(read[1]) > 1 else MemoryOptions(" ".join(read[1]), **read[0])


def show(invocation: Invocation, wanted: MemoryOptions) -> None:
    """Print what is remembered. Raises StoreError."""
    from ctxe.cli import memory_pages
    from ctxe.project.memory import memories, standing

    project = invocation.project()
    screen = invocation.screen()
    if wanted.sources and not wanted.as_json:
        screen.say(memory_pages.sources_page(project, screen))
    elif wanted.sources:
        print_json(_sources_json(*standing.sources(project)))
    elif wanted.today:
        day, lines = memories.today(project)
        records = [{"id": line.id, "at": line.created, "session": line.session, "text": line.text} for line in lines]
        print_json(records) if wanted.as_json else screen.say(memory_pages.log_page(day, lines, screen))
    elif wanted.weeks:
        by_week = memories.weeks(project)
        text = "\n\n".join("\n  ".join((week, *lines)) for week, lines in by_week.items())
        print_json(by_week) if wanted.as_json else screen.say(memory_pages.print_prose(text or "no older days", screen))
    elif wanted.entry:
        print_json(memories.entry_object(project, wanted.entry)) if wanted.as_json else screen.say(
            memory_pages.entry_page(project, screen, wanted.entry)
        )
    elif wanted.as_json:
        print_json([memory_pages.public_row(row) for row in memories.rows(project, wanted.kind, all_=wanted.all_)])
    else:
        screen.say(memory_pages.page(project, screen, wanted.kind, all_=wanted.all_))


def _sources_json(rules: Sequence[Any], pieces: Sequence[Any], notices: Sequence[str]) -> dict[str, object]:
    from dataclasses import asdict

    files = [asdict(rule) for rule in rules]
    return {"instructions": files, "memory": pieces, "notices": notices}
