"""The commands of ``ctxe memory`` that write: add, edit, forget, undo."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from ctxe.cli.invocation import Invocation
from ctxe.cli.output import JsonOption, print_json

if TYPE_CHECKING:
    from ctxe.project import Project
    from ctxe.project.memory.types import Entry
    from ctxe.terminal.screen import Screen

Text = Annotated[list[str] | None, typer.Argument(help="the words; - reads standard input")]
Title = Annotated[str, typer.Option("--title", help="One line; the first sentence when left out.")]
Scope = Annotated[list[str] | None, typer.Option("--scope", help="Files it applies to, as a glob; may be repeated.")]
Files = Annotated[list[str] | None, typer.Option("--file", help="A file it is about; may be repeated.")]
Evidence = Annotated[
    list[str] | None, typer.Option("--evidence", help="`commit ID`, `test NAME`, `file PATH`, `symbol NAME`.")
]
Supersedes = Annotated[list[str] | None, typer.Option("--supersedes", help="An entry that this one replaces.")]

ADDABLE_KINDS = ("decision", "fact", "preference", "routine")
STATUSES = {"failure": ("open", "resolved", "wontfix", "stale")}
"""Statuses that ``edit`` accepts, by kind of entry; OTHER_STATUSES for the rest."""
OTHER_STATUSES = ("current", "stale", "superseded")


def _kinds(kind: str) -> str:
    """A hint on the kinds that ``add`` accepts, and on the command that writes ``kind`` instead."""
    other_commands = {"failure": "; `ctxe failures add` keeps a failure", "log": "; sessions write the log of the day"}
    return ", ".join(ADDABLE_KINDS[:-1]) + f" or {ADDABLE_KINDS[-1]}" + other_commands.get(kind, "")


def add(
    context: typer.Context,
    text: Text = None,
    kind: Annotated[str, typer.Option("--kind", help="decision, fact, preference or routine")] = "fact",
    title: Title = "",
    scope: Scope = None,
    file: Files = None,
    evidence: Evidence = None,
    supersedes: Supersedes = None,
    propose: Annotated[bool, typer.Option("--propose", help="Put it in the inbox.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Keep an entry. Raises CtxeError, StoreError."""
    if kind not in ADDABLE_KINDS:
        raise typer.BadParameter(_kinds(kind), param_hint="--kind")
    lists = {"scope": scope or (), "files": file or (), "evidence": evidence or ()}
    keep_entry(context, words_of(text), kind, title, supersedes or (), lists=lists, propose=propose, as_json=as_json)


def words_of(text: list[str] | None) -> str:
    """The words on the command line, or standard input for a single dash."""
    return sys.stdin.read() if text == ["-"] else " ".join(text or ())


def keep_entry(
    context: typer.Context,
    words: str,
    kind: str,
    title: str,
    supersedes: Sequence[str] = (),
    *,
    lists: Mapping[str, Sequence[str]],
    propose: bool = False,
    as_json: bool = False,
) -> None:
    """Write one entry, after asking about entries on the same subject."""
    from ctxe.domain.value import replace
    from ctxe.project.memory import memories

    invocation = Invocation.of(context)
    project = invocation.project()
    screen = invocation.screen()
    draft = memories.draft_entry(words, kind, title, lists)
    superseded = [project.store.get(ref) for ref in supersedes]
    replaced = [old.id for old in superseded]
    duplicate = None if replaced else memories.find_duplicate(project, draft)
    if not (replaced or propose or duplicate):
        chosen = _same_subject(project, screen, draft)
        if chosen is None:
            screen.tell("nothing was saved")
            return
        replaced += chosen
    status = "proposed" if propose else "current"
    entry = duplicate or memories.add_entry(project, replace(draft, supersedes=tuple(replaced), status=status))
    if as_json:
        print_json({"id": entry.id, "kind": entry.kind, "title": entry.title, "path": entry.path})
        return
    outcome = f"saved {entry.id}" if duplicate is None else f"{entry.id} already says that"
    screen.say(f"{outcome} in {project.place.memory.name}/{entry.path}, by {entry.by}")
    for old in () if propose else superseded:
        screen.tell(memories.replacement_line(project, old, entry))


def _same_subject(project: Project, screen: Screen, draft: Entry) -> list[str] | None:
    """Ids to supersede; None when the user cancels. Without a keyboard both entries are kept."""
    from ctxe.project.memory import memories

    replaced: list[str] = []
    for similar in memories.same_subject(project, draft):
        text = f"{similar.kind} {similar.id} says: {similar.title}"
        if not screen.keyboard:
            screen.tell(f"kept both: {text} (--supersedes {similar.id} replaces it)")
            continue
        from ctxe.terminal.input.prompt import Prompt

        answer = Prompt(screen).ask(f"{text}. [s]upersede it, [k]eep both, [c]ancel?", ("s", "k", "c"))
        if answer == "c":
            return None
        replaced += [similar.id] if answer == "s" else []
    return replaced


def edit(
    context: typer.Context,
    entry: Annotated[str, typer.Argument(help="id, its beginning, its number or its file")],
    title: Title = "",
    text: Annotated[str, typer.Option("--text", help="The new words; - reads standard input.")] = "",
    status: Annotated[str, typer.Option("--status", help="current, stale, superseded")] = "",
    scope: Scope = None,
    file: Files = None,
) -> None:
    """Change the parts that the options name, or open the file in the editor. Raises CtxeError, StoreError."""
    from ctxe.domain.errors import CtxeError

    invocation = Invocation.of(context)
    project = invocation.project()
    screen = invocation.screen()
    words = sys.stdin.read() if text == "-" else text
    values = {"title": title, "text": words, "status": status, "scope": tuple(scope or ()), "files": tuple(file or ())}
    changes = {name: value for name, value in values.items() if value}
    entry_before = project.store.get(entry)
    allowed = STATUSES.get(entry_before.kind, OTHER_STATUSES)
    if status and status not in allowed:
        raise typer.BadParameter(", ".join(allowed[:-1]) + f" or {allowed[-1]}", param_hint="--status")
    if changes:
        project.store.change(entry_before.id, **changes)
    elif screen.keyboard:
        from ctxe.cli.memory_edit import edit_by_hand
        from ctxe.terminal.input.prompt import Prompt

        if not edit_by_hand(project, Prompt(screen, editor=project.editor), entry_before):
            screen.say("nothing changed")
            return
    else:
        raise CtxeError("there is no terminal for an editor", "name what changes: --title, --text, --status, --scope")
    changed = project.store.get(entry_before.id)
    screen.say(f"saved {changed.id} in {project.place.memory.name}/{changed.path}")
    for problem in changed.problems:
        screen.tell(f"{changed.path}: {problem}")


def forget(
    context: typer.Context,
    entries: Annotated[list[str], typer.Argument(help="ids, numbers or files")],
    as_json: JsonOption = False,
) -> None:
    """Remove entries. Raises StoreError."""
    invocation = Invocation.of(context)
    removed = invocation.project().store.forget(*entries)
    if as_json:
        print_json([{"id": entry.id, "path": entry.path} for entry in removed])
        return
    screen = invocation.screen()
    for entry in removed:
        screen.say(f"forgot {entry.id} {entry.title}")
    screen.tell("`ctxe memory undo` takes it back")


def undo(context: typer.Context) -> None:
    """Undo the last write. Raises StoreError."""
    invocation = Invocation.of(context)
    invocation.screen().say(f"taken back: {invocation.project().store.undo()}")
