"""``ctxe decisions``: decisions and their reasons."""

from __future__ import annotations

from typing import Annotated

import typer

from ctxe.cli import memory_write
from ctxe.cli.invocation import Invocation
from ctxe.cli.output import JsonOption, print_json


def register(app: typer.Typer) -> None:
    """Add the ``decisions`` group."""
    group = typer.Typer(help="What was decided, and why.", no_args_is_help=True, rich_markup_mode=None)
    group.command("list", help="Decisions that hold, newest last.")(list_)
    group.command("show", help="One decision in full, with what it replaced.")(show)
    group.command("add", help="Record a decision.")(add)
    group.command("supersede", help="Record a decision that replaces another.")(supersede)
    app.add_typer(group, name="decisions")


def list_(
    context: typer.Context,
    all_: Annotated[bool, typer.Option("--all", help="Superseded ones too.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Decisions that hold, or with ``--all`` also superseded ones; proposals are left out."""
    from ctxe.cli.memory_pages import entries_table, public_row
    from ctxe.project.memory import memories

    invocation = Invocation.of(context)
    rows = [row for row in memories.rows(invocation.project(), "decision", all_=all_) if row["status"] != "proposed"]
    if as_json:
        print_json([public_row(row) for row in rows])
        return
    screen = invocation.screen()
    screen.say(entries_table(rows, screen) if rows else 'no decisions yet: `ctxe decisions add "Use X" "because"`')


def show(
    context: typer.Context,
    decision: Annotated[str, typer.Argument(help="id, its beginning, its number or its file")],
    as_json: JsonOption = False,
) -> None:
    """A whole decision, with what it replaced. Raises StoreError."""
    from ctxe.cli.memory_pages import entry_page
    from ctxe.project.memory import memories

    invocation = Invocation.of(context)
    project = invocation.project()
    entry_id = memories.entry_of_kind(project, decision, "decision").id
    if as_json:
        print_json(memories.entry_object(project, entry_id))
        return
    screen = invocation.screen()
    screen.say(entry_page(project, screen, entry_id))


def add(
    context: typer.Context,
    title: Annotated[str, typer.Argument(help="what was decided, in one line")],
    text: memory_write.Text = None,
    scope: memory_write.Scope = None,
    file: memory_write.Files = None,
    evidence: memory_write.Evidence = None,
    supersedes: memory_write.Supersedes = None,
    as_json: JsonOption = False,
) -> None:
    """Keep a decision with its reason. Raises CtxeError, StoreError."""
    lists = {"scope": scope or (), "files": file or (), "evidence": evidence or ()}
    words = memory_write.words_of(text)
    memory_write.keep_entry(context, words, "decision", title, supersedes or (), lists=lists, as_json=as_json)


def supersede(
    context: typer.Context,
    decision: Annotated[str, typer.Argument(help="the one that no longer holds")],
    title: Annotated[str, typer.Argument(help="what holds instead, in one line")],
    text: memory_write.Text = None,
    scope: memory_write.Scope = None,
    file: memory_write.Files = None,
    evidence: memory_write.Evidence = None,
    as_json: JsonOption = False,
) -> None:
    """Keep a decision that replaces another, which stays readable. Raises CtxeError, StoreError."""
    from ctxe.project.memory import memories

    old = memories.entry_of_kind(Invocation.of(context).project(), decision, "decision").id
    lists = {"scope": scope or (), "files": file or (), "evidence": evidence or ()}
    words = memory_write.words_of(text)
    memory_write.keep_entry(context, words, "decision", title, (old,), lists=lists, as_json=as_json)
