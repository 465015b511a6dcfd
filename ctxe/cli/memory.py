"""``ctxe memory``: show, search, import and export what this project remembers."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

from ctxe.cli import memory_review, memory_show, memory_write
from ctxe.cli.invocation import Invocation
from ctxe.cli.json_output import print_line
from ctxe.cli.output import JsonOption, print_json

Words = Annotated[list[str] | None, typer.Argument(help="what to look for; a JSON object may stand for it")]
Kind = Annotated[str, typer.Option("--kind", help="decision, fact, preference, routine, failure or log")]
Limit = Annotated[int, typer.Option("-k", help="Return at most this many.", min=1)]
File = Annotated[list[str] | None, typer.Option("--file", help="A file it is about; may be repeated.")]
Lines = Annotated[bool, typer.Option("--jsonl", help="Read one JSON question a line, answer each on a line.")]
Tokens = Annotated[int, typer.Option("--budget-tokens", help="Return at most this many tokens.", min=0)]


def register(app: typer.Typer) -> None:
    """Add the ``memory`` group."""
    group = typer.Typer(help="What this project remembers.", no_args_is_help=True, rich_markup_mode=None)
    group.command("show", help="Everything remembered, or one entry in full.")(show)
    group.command("add", help="Remember something.")(memory_write.add)
    group.command("edit", help="Change an entry, in your editor or by options.")(memory_write.edit)
    group.command("forget", help="Remove entries; `ctxe memory undo` takes it back.")(memory_write.forget)
    group.command("undo", help="Take back the last write to the memory folder.")(memory_write.undo)
    group.command("search", help="Find what is remembered about some words.")(search)
    group.command("review", help="Go through the proposals in the inbox.")(memory_review.review)
    group.command("import", help="Import JSON lines, or another tool's rule files.")(import_)
    group.command("export", help="Export everything as JSON lines or Markdown.")(export)
    group.command("stats", help="How much is remembered, and what of it is used.")(stats)
    app.add_typer(group, name="memory")


def show(
    context: typer.Context,
    entry: Annotated[str, typer.Argument(metavar="[ENTRY]", help="id, its beginning, its number or its file")] = "",
    kind: Kind = "",
    all_: Annotated[bool, typer.Option("--all", help="Superseded entries too.")] = False,
    today: Annotated[bool, typer.Option("--today", help="The log of today.")] = False,
    weeks: Annotated[bool, typer.Option("--weeks", help="Older days of the log, week by week.")] = False,
    sources: Annotated[bool, typer.Option("--sources", help="Every instruction and memory file that loads.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show the memory. Raises StoreError."""
    memory_show.show(
        Invocation.of(context), memory_show.MemoryOptions(entry, kind, all_, today, weeks, sources, as_json)
    )


def search(
    context: typer.Context,
    words: Words = None,
    k: Limit = 10,
    kind: Kind = "",
    file: File = None,
    budget_tokens: Tokens = 0,
    inject: Annotated[bool, typer.Option("--inject", help="Only what would be put before a model.")] = False,
    lines: Lines = False,
    as_json: JsonOption = False,
) -> None:
    """Search every kind of entry, failures included. Raises StoreError, CtxeError."""
    from ctxe.project.memory import queries

    invocation = Invocation.of(context)
    project = invocation.project()
    if lines:
        answer_lines(queries.answers(project, sys.stdin, kind))
        return
    text = " ".join(words or ())
    question = queries.parse_question(
        text, k=k, kind=kind, files=tuple(file or ()), budget_tokens=budget_tokens, inject=inject
    )
    answer = queries.answer(project, question)
    print_json(answer) if as_json else show_found(invocation, answer)


def answer_lines(answers: Iterable[dict[str, Any]]) -> None:
    """Print one JSON object per line, each as soon as it is found."""
    for answer in answers:
        print_line(answer)


def show_found(invocation: Invocation, answer: dict[str, object]) -> None:
    """Search results as a table."""
    from ctxe.terminal.tables import Cell, Column, table

    results = answer["results"]
    screen = invocation.screen()
    if not isinstance(results, list) or not results:
        screen.say("nothing remembered matches")
        return
    entries_by_id = {entry.id: entry for entry in invocation.project().store.entries()}
    entries = [entries_by_id[row["id"]] for row in results]
    columns: list[Column | str] = [Column("id", style="accent"), "kind", Column("title", grows=True)]
    columns += [Column("fix", grows=True)] if any(entry.fix for entry in entries) else []
    columns += [Column("tokens", right=True), Column("score", right=True, style="dim")]
    rows: list[list[Cell]] = []
    for row, entry in zip(results, entries, strict=True):
        cells = [row["title"] or ("" if entry.title else entry.text), *([entry.fix] if len(columns) > 5 else [])]
        rows.append([row["id"], row["kind"], *cells, str(row["tokens"]), f"{row['score']:.2f}"])
    screen.say(table(columns, rows, screen))


def import_(
    context: typer.Context,
    file: Annotated[str, typer.Argument(help="JSON lines, Markdown rules or a folder of them, - for standard input")],
    as_json: JsonOption = False,
) -> None:
    """Import; prints ``{"imported":n,"skipped":m}``. Raises StoreError."""
    from ctxe.project.memory import transfer

    invocation = Invocation.of(context)
    project = invocation.project()
    path = Path(file).expanduser()
    if not file.strip():
        raise typer.BadParameter("name a file, a folder of rules, or - for standard input", param_hint="file")
    if file == "-":
        imported = transfer.import_file(project, None, sys.stdin.buffer.read(), "import")
    elif path.is_dir():
        imported = transfer.import_folder(project, path)
    else:
        imported = transfer.import_file(project, path, transfer.read_file(path), path.name)
    screen = invocation.screen()
    for number, why in imported.problems[:50]:
        screen.tell(f"line {number}: {why}; skipped")
    if len(imported.problems) > 50:
        screen.tell(f"and {len(imported.problems) - 50} more lines")
    typer.echo(f'{{"imported": {imported.imported}, "skipped": {imported.skipped}}}')


def export(
    context: typer.Context,
    form: Annotated[str, typer.Option("--format", help="jsonl or markdown")] = "jsonl",
    kind: Kind = "",
) -> None:
    """Write everything, or one kind, to standard output."""
    from ctxe.project.memory import transfer

    if form not in ("jsonl", "markdown"):
        raise typer.BadParameter("jsonl or markdown", param_hint="--format")
    invocation = Invocation.of(context)
    if exported := transfer.export_entries(invocation.project(), form, kind):
        invocation.screen().pass_through(exported.removesuffix("\n"))


def stats(context: typer.Context, as_json: JsonOption = False) -> None:
    """Count the entries, and how often they are used."""
    from ctxe.project.memory import memories
    from ctxe.terminal.tables import Cell, Column, table

    invocation = Invocation.of(context)
    statistics = memories.statistics(invocation.project())
    if as_json:
        print_json(statistics)
        return
    screen = invocation.screen()
    columns: list[Column | str] = ["kind", *(Column(name, right=True) for name in ("entries", "tokens", "used"))]
    rows: list[list[Cell]] = [
        [kind, str(row["entries"]), f"{row['tokens']:,}", str(row["used"])] for kind, row in statistics["kinds"].items()
    ]
    screen.say(table(columns, rows, screen) if rows else "nothing is remembered yet")
    names = ("never_used", "stale", "superseded", "inbox")
    screen.say("  ".join(f"{name.replace('_', ' ')}: {statistics[name]}" for name in names))
    if statistics["most_used"]:
        used: list[list[Cell]] = [[row["id"], row["title"], str(row["uses"])] for row in statistics["most_used"]]
        screen.say(table(["most used", Column("", grows=True), Column("", right=True)], used, screen))
    if statistics["judged"]:
        judged: list[list[Cell]] = [
            [row["id"], row["title"], str(row["helpful"]), str(row["harmful"])] for row in statistics["judged"]
        ]
        numbers = (Column("helped", right=True), Column("misled", right=True))
        screen.say(table(["leaned on", Column("", grows=True), *numbers], judged, screen))
