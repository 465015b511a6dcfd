"""``ctxe sessions``: past sessions of this project."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ctxe.cli.invocation import Invocation
from ctxe.cli.output import JsonOption, print_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ctxe.project import Project
    from ctxe.project.sessions import Summary
    from ctxe.terminal.input.prompt import Prompt
    from ctxe.terminal.screen import Screen

SessionId = Annotated[str, typer.Argument(metavar="[ID]", help="id or its beginning; the most recent when left out")]


def register(app: typer.Typer) -> None:
    """Add the ``sessions`` group."""
    group = typer.Typer(help="Past sessions of this project.", no_args_is_help=True, rich_markup_mode=None)
    group.command("list", help="Every session, the most recent first.")(list_)
    group.command("show", help="A session as it was on the screen.")(show)
    group.command("inspect", help="One HTML page: the context of every request over time, its text, its cost.")(inspect)
    group.command("diff", help="Two sessions side by side: cost, tokens by section, files changed.")(diff)
    group.command("export", help="A session as Markdown or JSON lines.")(export)
    app.add_typer(group, name="sessions")


def list_(context: typer.Context, as_json: JsonOption = False) -> None:
    """Sessions, the one used last first, and notices about logs of a newer ctxe."""
    import time

    from ctxe.project.sessions import summaries, unreadable

    invocation = Invocation.of(context)
    project = invocation.project()
    sessions = summaries(project)
    if as_json:
        print_json(
            [
                {"id": item.id, "started": item.started, "words": item.words, "turns": item.turns, "model": item.model}
                | {"outcome": item.outcome, "input": item.usage.input, "output": item.usage.output}
                | {"usd": item.usd, "fork": item.fork}
                for item in sessions
            ]
        )
        return
    screen, newer = invocation.screen(), unreadable(project, sessions)
    if sessions or not newer:
        screen.say(_listing(sessions, time.time(), screen) if sessions else "no sessions yet: `ctxe chat` starts one")
    for session in newer:
        screen.tell(f"{session}: written by a newer ctxe, which can read it")


def _listing(sessions: Sequence[Summary], now: float, screen: Screen) -> str:
    """Sessions as a table; ``now`` is in seconds since 1970."""
    from ctxe.terminal.figures import age, money, size
    from ctxe.terminal.tables import Column, table

    right, growing = {"turns", "input", "cost"}, {"model", "words"}
    names = ("session", "used", "turns", "model", "input", "cost", "words")
    rows = [
        [
            session.id,
            age(session.used, now),
            str(session.turns),
            session.model,
            size(session.usage.input),
            "" if session.usd is None else money(session.usd),
            " ".join(session.words.split())[:60],
        ]
        for session in sessions
    ]
    return table([Column(name, right=name in right, grows=name in growing) for name in names], rows, screen)


def pick_session(project: Project, prompt: Prompt, excluded: str = "") -> str | None:
    """The id of the session that a person picks; None for none. Raises SessionError when there are none."""
    import time

    from ctxe.domain.errors import SessionError
    from ctxe.project.sessions import summaries
    from ctxe.terminal.figures import age, plural

    sessions = [session for session in summaries(project) if session.turns and session.id != excluded]
    if not sessions:
        raise SessionError("there is no other session here yet" if excluded else "there is no session here yet")
    now = time.time()
    rows = [
        (
            session.id,
            f"{age(session.used, now):>8}  {plural(session.turns, 'turn'):>8}  {' '.join(session.words.split())}",
        )
        for session in sessions
    ]
    return prompt.pick("which session?", rows)


def show(
    context: typer.Context,
    session: SessionId = "",
    as_json: JsonOption = False,
    grep: Annotated[
        str, typer.Option("--grep", help="Only what contains this text, folded text and its delegates' included.")
    ] = "",
    recall: Annotated[
        str,
        typer.Option("--recall", metavar="HANDLE", help="The whole text under a handle, or what best matches words."),
    ] = "",
) -> None:
    """Show a log with the code that showed the session."""
    from ctxe.project.sessions import delegated, events, path_of, records

    invocation = Invocation.of(context)
    project = invocation.project()
    path = path_of(project.place.sessions, session)
    if as_json:
        print_json(list(records(path)))
        return
    if recall:
        _recall(project, path, recall, invocation.screen())
        return
    from ctxe.terminal.pages.replayed import matching_rows, show_events

    shown_events, notices = events(path)
    screen = invocation.screen()
    for notice in notices:
        screen.tell(notice)
    if grep:
        rows = matching_rows(shown_events, grep, screen)
        for log in delegated(path):
            rows += [f"{log.stem} {row}" for row in matching_rows(events(log)[0], grep, screen)]
        screen.say("\n".join(rows) or f"nothing contains {grep!r}")
    else:
        show_events(shown_events, screen)


def _recall(project: Project, path: Path, words: str, screen: Screen) -> None:
    from ctxe.domain.errors import SessionError
    from ctxe.project.memory.recall import recall_text_of
    from ctxe.terminal.render import Renderer

    if not (text := recall_text_of(project, path, words)):
        raise SessionError(f"there is no text for {words}", "`--grep TEXT` finds lines")
    Renderer(screen).print_lines(text.splitlines())


def inspect(
    context: typer.Context,
    session: SessionId = "",
    out: Annotated[
        str, typer.Option("--out", metavar="FILE", help="Where to write it; - for standard output; beside the log.")
    ] = "",
    open_: Annotated[bool, typer.Option("--open", help="Open it in your browser.")] = False,
) -> None:
    """Write an HTML page that needs no network. Raises SessionError, StoreError."""
    from ctxe.project.sessions import path_of, write
    from ctxe.project.window.past import past
    from ctxe.terminal.pages.report import render_page

    invocation = Invocation.of(context)
    project, screen = invocation.project(), invocation.screen()
    log = path_of(project.place.sessions, session)
    html = render_page(past(project, log, whole=True))
    if out == "-":
        screen.pass_through(html)
        return
    path = write(project.place.working / out if out else log.with_suffix(".html"), html)
    screen.say(str(path))
    if open_ and not _open_in_browser(path):
        screen.tell("no browser could be started: open the file yourself")


def _open_in_browser(path: Path) -> bool:
    import webbrowser

    return webbrowser.open(path.as_uri())


def diff(
    context: typer.Context,
    one: Annotated[str, typer.Argument(help="id or its beginning")],
    other: Annotated[str, typer.Argument(help="id or its beginning")],
    as_json: JsonOption = False,
) -> None:
    """Compare two sessions: attempts at a task, models or settings. Raises SessionError."""
    from ctxe.project.sessions import path_of
    from ctxe.project.window.past import past
    from ctxe.terminal.pages.difference import difference_view, session_facts

    invocation = Invocation.of(context)
    project = invocation.project()
    pasts = [past(project, path_of(project.place.sessions, name)) for name in (one, other)]
    if as_json:
        print_json([session_facts(session_past) for session_past in pasts])
        return
    screen = invocation.screen()
    screen.say(difference_view(pasts[0], pasts[1], screen))


def export(
    context: typer.Context,
    session: SessionId = "",
    form: Annotated[Literal["markdown", "jsonl"], typer.Option("--format", help="markdown or jsonl.")] = "markdown",
    out: Annotated[str, typer.Option("--out", metavar="FILE", help="Where to write it; else standard output.")] = "",
) -> None:
    """Print or write a whole session. Raises SessionError, StoreError."""
    from ctxe.domain.jsonl import json_text
    from ctxe.project.sessions import events, path_of, records, write
    from ctxe.terminal.pages.replayed import to_markdown

    invocation = Invocation.of(context)
    project = invocation.project()
    log = path_of(project.place.sessions, session)
    jsonl = form == "jsonl"
    text = "\n".join(json_text(record) for record in records(log)) if jsonl else to_markdown(events(log)[0])
    if out:
        invocation.screen().say(str(write(project.place.working / out, text + "\n")))
    else:
        invocation.screen().pass_through(text)
