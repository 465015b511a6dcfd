"""``ctxe failures``: past failures, attempts and fixes."""

from __future__ import annotations

import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from ctxe.cli import failure_pages, memory
from ctxe.cli.invocation import Invocation
from ctxe.cli.output import JsonOption, print_json

Ref = Annotated[str, typer.Argument(metavar="FAILURE", help="its signature, the beginning of it, or an id")]
STATUSES = ("open", "resolved", "wontfix", "stale")
STATUS_NAMES = "open, resolved, wontfix or stale"


def register(app: typer.Typer) -> None:
    """Add the ``failures`` group."""
    group = typer.Typer(help="What went wrong, and what fixed it.", no_args_is_help=True, rich_markup_mode=None)
    group.command("list", help="Failures, open ones first.")(list_)
    group.command("show", help="One failure in full.")(show)
    group.command("add", help="Record a failure in your own words.")(add)
    group.command("resolve", help="Say that it is fixed, and how.")(resolve)
    group.command("match", help="Failures that match words, a command or an error.")(match)
    group.command("forget", help="Remove a failure; `ctxe memory undo` takes it back.")(forget)
    group.command("stats", help="How many, how often, how many fixed.")(stats)
    group.command("learn", help="Mine recorded sessions: ours, Claude Code's, Codex's.")(learn)
    app.add_typer(group, name="failures")


def list_(
    context: typer.Context,
    status: Annotated[str, typer.Option("--status", help=STATUS_NAMES)] = "",
    file: Annotated[str, typer.Option("--file", help="Only about this file.")] = "",
    since: Annotated[str, typer.Option("--since", help="Seen since 12h, 7d, 2w or a date.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Failures, grouped by signature. Raises CtxeError."""
    from ctxe.project.memory import failures

    invocation = Invocation.of(context)
    limit = failures.since(since) if since else None
    limit = time.time() + limit if limit is not None and limit < 0 else limit
    groups = [
        group
        for group in failures.failure_groups(invocation.project())
        if (not status or group.status == status)
        and (not file or file in group.files)
        and (limit is None or group.last >= limit)
    ]
    if as_json:
        print_json([failure_pages.to_json(group) for group in groups])
        return
    screen = invocation.screen()
    empty_text = "no remembered failure matches" if status or file or since else "no failures are remembered"
    screen.say(failure_pages.table_of(groups, screen) if groups else empty_text)
    if status not in ("", *STATUSES):
        screen.tell(f"there is no status {status}: {STATUS_NAMES}")


def show(context: typer.Context, failure: Ref, as_json: JsonOption = False) -> None:
    """A failure with every entry about it, and when sessions met it. Raises StoreError."""
    from ctxe.project.memory import failures

    invocation = Invocation.of(context)
    project = invocation.project()
    group = failures.failure_group(project, failure)
    moments = failures.timeline(project, group)
    if as_json:
        print_json(failure_pages.to_json(group) | {"timeline": moments})
        return
    screen = invocation.screen()
    screen.say(failure_pages.page(project, screen, group))
    if moments:
        screen.say("\n" + failure_pages.timeline(moments, screen))
        screen.tell(f"`ctxe sessions show {moments[-1]['session']}` shows the session")


def add(
    context: typer.Context,
    what: Annotated[list[str], typer.Argument(help="what went wrong, in one line")],
    command: Annotated[str, typer.Option("--command", help="What was run.")] = "",
    error: Annotated[str, typer.Option("--error", help="What it said.")] = "",
    tried: Annotated[str, typer.Option("--tried", help="What did not help.")] = "",
    outcome: Annotated[str, typer.Option("--outcome", help="What came of it.")] = "",
    fix: Annotated[str, typer.Option("--fix", help="What helped; it counts as resolved then.")] = "",
    file: memory.File = None,
    as_json: JsonOption = False,
) -> None:
    """Keep a failure, or count a known one again. Raises CtxeError, StoreError."""
    from ctxe.project.memory import failures

    invocation = Invocation.of(context)
    project = invocation.project()
    words = {"command": command, "error": error, "tried": tried, "outcome": outcome, "fix": fix}
    entry, new = failures.add_failure(project, " ".join(what), **words, files=tuple(file or ()))
    if as_json:
        print_json({"id": entry.id, "signature": entry.signature, "path": entry.path, "new": new})
        return
    saved = f"saved {entry.id} in {project.place.memory.name}/{entry.path}"
    invocation.screen().say(saved if new else f"already known as {entry.id}: counted again")


def resolve(
    context: typer.Context,
    failure: Ref,
    fix: Annotated[str, typer.Option("--fix", help="What helped.")] = "",
    status: Annotated[str, typer.Option("--status", help="resolved, wontfix, stale, or open again")] = "resolved",
    as_json: JsonOption = False,
) -> None:
    """Set a failure's status and fix. Raises StoreError."""
    from ctxe.project.memory import failures

    if status not in STATUSES:
        raise typer.BadParameter(STATUS_NAMES, param_hint="--status")
    invocation = Invocation.of(context)
    group = failures.settle(invocation.project(), failure, status, fix)
    if as_json:
        print_json(failure_pages.to_json(group))
        return
    invocation.screen().say(f"{group.status}: {group.entry.title}" + (f" ({group.fix})" if group.fix else ""))


def match(
    context: typer.Context,
    words: memory.Words = None,
    k: memory.Limit = 5,
    file: memory.File = None,
    command: Annotated[str, typer.Option("--command", help="The command that failed.")] = "",
    error: Annotated[str, typer.Option("--error", help="What it said.")] = "",
    lines: memory.Lines = False,
    as_json: JsonOption = False,
) -> None:
    """Search failures by words, command, error or file, or answer questions line by line (--jsonl).

    Raises CtxeError, StoreError.
    """
    from ctxe.project.memory import queries

    invocation = Invocation.of(context)
    project = invocation.project()
    if lines:
        memory.answer_lines(queries.answers(project, sys.stdin, "failure"))
        return
    text = " ".join(words or ())
    values = {"kind": "failure", "files": tuple(file or ()), "command": command, "error": error}
    question = queries.parse_question(text, 'ctxe failures match "tests hang on CI"', k=k, **values)
    answer = queries.answer(project, question)
    print_json(answer) if as_json else memory.show_found(invocation, answer)


def forget(context: typer.Context, failure: Ref, as_json: JsonOption = False) -> None:
    """Remove every file about a failure. Raises StoreError."""
    from ctxe.project.memory import failures

    invocation = Invocation.of(context)
    project = invocation.project()
    group = failures.failure_group(project, failure)
    removed = project.store.forget(*(entry.id for entry in group.entries))
    if as_json:
        print_json([{"id": entry.id, "path": entry.path} for entry in removed])
        return
    screen = invocation.screen()
    screen.say(f"forgot {group.signature[:8]} {group.entry.title}")
    screen.tell("`ctxe memory undo` takes it back")


def learn(
    context: typer.Context,
    sessions: Annotated[
        list[str] | None,
        typer.Argument(metavar="[SESSION]...", help="ids of sessions, .jsonl files or folders of them"),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Every session of this project too.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Extract failures and their fixes from recorded sessions. Raises CtxeError, SessionError, StoreError."""
    from ctxe.domain.errors import CtxeError
    from ctxe.project.memory import recordings
    from ctxe.terminal.figures import plural

    invocation = Invocation.of(context)
    project = invocation.project()
    if not (every or any(name.strip() for name in sessions or ())):
        raise CtxeError("say which sessions", "ctxe failures learn --all, or the .jsonl files of another agent")
    given_files = {str(path) for path in map(Path, sessions or ()) if path.is_file()}
    paths = recordings.recordings(project, sessions or (), every=every)
    learnt = [recordings.learn(project, path, sure=str(path) in given_files) for path in paths]
    if as_json:
        print_json([asdict(recording) for recording in learnt])
        return
    screen = invocation.screen()
    for recording in learnt:
        text = (
            recording.skipped
            or f"{recording.steps} calls, {recording.failed} failed, {recording.new} new, {recording.resolved} fixed"
        )
        screen.say(f"{recording.name}: {text}")
    new, read = sum(recording.new for recording in learnt), sum(not recording.skipped for recording in learnt)
    screen.say(f"{plural(new, 'new failure')} from {plural(read, 'recording')}")


def stats(context: typer.Context, as_json: JsonOption = False) -> None:
    """Count failures by status, repeats that were prevented, and the cost of those that were not."""
    from ctxe.project.memory import failures
    from ctxe.terminal.figures import plural

    invocation = Invocation.of(context)
    statistics = failures.statistics(invocation.project())
    if as_json:
        print_json(statistics)
        return
    screen = invocation.screen()
    counts = ", ".join(f"{number} {status}" for status, number in statistics["statuses"].items()) or "none"
    screen.say(
        f"{plural(statistics['failures'], 'failure')}: {counts}; seen {plural(statistics['seen'], 'time')} in all"
    )
    money = f", ${statistics['usd']:.4f}" if statistics["usd"] else ""
    cost = f", which cost {statistics['tokens']:,} tokens{money}" if statistics["repeats"] else ""
    screen.say(
        f"{plural(statistics['prevented'], 'repeat')} prevented before it ran;"
        f" {statistics['repeats']} happened again{cost}"
        if statistics["prevented"] or statistics["repeats"]
        else "no failure has been about to be repeated yet"
    )
    if statistics["repeated"]:
        most = {repeated["signature"] for repeated in statistics["repeated"]}
        groups = [group for group in failures.failure_groups(invocation.project()) if group.signature in most]
        screen.say(failure_pages.table_of(sorted(groups, key=lambda group: -group.seen), screen))
