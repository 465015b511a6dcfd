"""``ctxe memory review``: a person decides on proposals, and on entries whose evidence is gone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from ctxe.cli.invocation import Invocation
from ctxe.cli.memory_edit import edit_by_hand
from ctxe.cli.output import JsonOption, print_json

if TYPE_CHECKING:
    from ctxe.project import Project
    from ctxe.project.memory.types import Entry
    from ctxe.terminal.screen import Screen


def review(
    context: typer.Context,
    accept: Annotated[list[str] | None, typer.Option("--accept", help="A proposal to keep, or all.")] = None,
    reject: Annotated[list[str] | None, typer.Option("--reject", help="A proposal to remove, or all.")] = None,
    merge: Annotated[
        tuple[str, str] | None,
        typer.Option("--merge", metavar="PROPOSAL ENTRY", help="Add one to an entry; or two that say the same."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Go through the inbox, stale entries, rival replacements and duplicates. Raises StoreError."""
    from ctxe.project.memory import inbox, memories

    invocation = Invocation.of(context)
    project = invocation.project()
    screen = invocation.screen()
    waiting = inbox.waiting(project)
    if accept or reject or merge:
        if not waiting and "all" in [*(accept or ()), *(reject or ())]:
            screen.say("the inbox is empty")
        for outcome in inbox.settle(project, accept or (), reject or (), merge):
            screen.say(outcome)
    elif as_json:
        print_json([memories.entry_object(project, entry.id) for entry in waiting])
    elif screen.keyboard:
        if not waiting:
            screen.say("the inbox is empty")
        if _walk(project, screen, waiting) and _walk_stale(project, screen) and _walk_rivals(project, screen):
            _walk_duplicates(project, screen)
    else:
        _list(project, screen)


def _list(project: Project, screen: Screen) -> None:
    """List the inbox and stale entries, where nobody can answer."""
    from ctxe.cli.memory_pages import entries_table
    from ctxe.project.memory import inbox, memories

    rows = memories.rows(project)
    waiting = [row for row in rows if row["status"] == "proposed"]
    stale = [row for row in rows if row["stale"]]
    screen.say(entries_table(waiting, screen) if waiting else "the inbox is empty")
    if stale:
        screen.say("\nstale:\n" + entries_table(stale, screen))
    rival_lines = [
        f"{entry.id} and {other_entry.id}: {replaced}" for entry, other_entry, replaced in inbox.rivals(project)
    ]
    if rival_lines:
        screen.say("\nboth replace the same entry:\n" + "\n".join(rival_lines))
    duplicate_lines = [
        f"{entry.id} and {other_entry.id}: {entry.title}" for entry, other_entry in inbox.near_duplicates(project)
    ]
    if duplicate_lines:
        screen.say("\nsaid twice:\n" + "\n".join(duplicate_lines))
    if waiting:
        screen.tell("--accept ID, --reject ID or --merge ID ENTRY settles one; a terminal walks through them")


def _walk(project: Project, screen: Screen, waiting: Sequence[Entry]) -> bool:
    """Ask about each proposal; False when the user quits."""
    from ctxe.cli.memory_pages import entry_page, print_prose
    from ctxe.project.memory import inbox, memories
    from ctxe.terminal.input.prompt import Prompt

    prompt = Prompt(screen, editor=project.editor)
    for number, proposal in enumerate(waiting, 1):
        screen.say(f"\n{number} of {len(waiting)}\n" + entry_page(project, screen, proposal.id))
        if change := inbox.difference(project, proposal):
            screen.say(print_prose(change, screen))
        others = memories.same_subject(project, proposal)
        for other in others:
            screen.say(f"already there: {other.id} {other.title}")
        choices = ("accept", "edit", *(("merge", "supersede") if others else ()), "reject", "later", "quit")
        answer = prompt.ask(_question(choices), choices)
        while answer == "edit":  # ask again about a proposal left unchanged: only an explicit answer keeps it
            changed = edit_by_hand(project, prompt, proposal)
            answer = "accept" if changed else prompt.ask(_question(choices), choices)
        if answer == "quit":
            return False
        if answer != "later":
            screen.say(inbox.settle_one(project, proposal.id, answer, others[0].id if others else ""))
    return True


def _walk_stale(project: Project, screen: Screen) -> bool:
    """Ask about each entry whose evidence no longer exists; False when the user quits."""
    from ctxe.cli.memory_pages import entry_page
    from ctxe.project.memory import memories
    from ctxe.project.memory.moved_files import new_paths, update_citations
    from ctxe.terminal.input.prompt import Prompt

    prompt = Prompt(screen, editor=project.editor)
    stale = [row["id"] for row in memories.rows(project) if row["stale"]]
    for number, name in enumerate(stale, 1):
        screen.say(f"\nstale, {number} of {len(stale)}\n" + entry_page(project, screen, name))
        places = new_paths(project, project.store.get(name))
        for old, new in places.items():
            screen.say(f"{old} was moved to {new}")
        choices = ("keep", *(["move"] if places else []), "edit", "forget", "quit")
        answer = prompt.ask(_question(choices), choices)
        if answer == "quit":
            return False
        if answer == "edit":
            edit_by_hand(project, prompt, project.store.get(name))
        if answer == "move":
            update_citations(project, project.store.get(name), places)
        if answer == "keep":
            memories.confirm(project, name)
        if answer == "forget":
            project.store.forget(name)
            screen.say(f"forgot {name}; `ctxe memory undo` takes it back")
    return True


def _walk_rivals(project: Project, screen: Screen) -> bool:
    """Ask which of two entries that replaced the same one is valid; False when the user quits."""
    from ctxe.cli.memory_pages import entry_page
    from ctxe.project.memory import inbox
    from ctxe.terminal.input.prompt import Prompt

    prompt = Prompt(screen)
    losers: set[str] = set()
    for first, other_entry, replaced in inbox.rivals(project):
        if {first.id, other_entry.id} & losers:
            continue
        pages = [entry_page(project, screen, entry.id) for entry in (first, other_entry)]
        screen.say(f"\nboth hold in place of {replaced}:\n" + "\n\n".join(pages))
        answer = prompt.ask("[f]irst holds, [s]econd holds, [k]eep both, [q]uit?", ("first", "second", "keep", "quit"))
        if answer == "quit":
            return False
        if answer == "keep":
            inbox.keep_both(project, first, other_entry)
            continue
        loser, winner = (other_entry, first) if answer == "first" else (first, other_entry)
        screen.say(inbox.supersede(project, loser, winner))
        losers.add(loser.id)
    return True


def _walk_duplicates(project: Project, screen: Screen) -> None:
    """Ask about each pair of entries that say nearly the same."""
    from ctxe.cli.memory_pages import entry_page
    from ctxe.project.memory import inbox
    from ctxe.terminal.input.prompt import Prompt

    prompt = Prompt(screen, editor=project.editor)
    merged: set[str] = set()
    for first, other_entry in inbox.near_duplicates(project):
        if first.id not in merged and other_entry.id not in merged:
            pages = [entry_page(project, screen, entry.id) for entry in (first, other_entry)]
            screen.say("\nsaid twice:\n" + "\n\n".join(pages))
            choices = ("keep", "merge", "quit")
            answer = prompt.ask(_question(choices), choices)
            if answer == "quit":
                return
            if answer == "merge":
                screen.say(inbox.settle_one(project, first.id, "merge", other_entry.id))
                merged.add(first.id)


def _question(choices: tuple[str, ...]) -> str:
    return ", ".join(f"[{word[0]}]{word[1:]}" for word in choices) + "?"
