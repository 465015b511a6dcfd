"""``ctxe chat``: options in, a session opened, the words or the keyboard handed to it."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from ctxe.cli.invocation import Invocation

if TYPE_CHECKING:
    from ctxe.cli.chatting import Chat
    from ctxe.project import Project
    from ctxe.project.request import Opening
    from ctxe.terminal.screen import Screen

Mode = Literal["ask", "auto-edit", "auto", "read-only"]
Format = Literal["text", "json", "stream-json"]
SESSION = "Session"
MODEL = "Model and money"
CONTEXT = "What the model sees"


def register(app: typer.Typer) -> None:
    """Add the ``chat`` command."""
    app.command("chat", help="Talk with a model in this repository.")(chat)


def chat(
    context: typer.Context,
    words: Annotated[list[str] | None, typer.Argument(help="what you want; without it, ctxe asks")] = None,
    print_: Annotated[
        bool, typer.Option("-p", "--print", help="One answer, no questions; standard input is added.")
    ] = False,
    output_format: Annotated[Format, typer.Option("--output-format", help="With --print.")] = "text",
    continue_: Annotated[bool, typer.Option("-c", "--continue", help="Go on with the session used last.")] = False,
    resume: Annotated[str, typer.Option("-r", "--resume", metavar="ID", help="Go on with this session.")] = "",
    fork: Annotated[str, typer.Option("--fork", metavar="ID", help="Go on in a copy of this session.")] = "",
    model: Annotated[str, typer.Option("--model", metavar="NAME", help="provider/name.")] = "",
    base_url: Annotated[str, typer.Option("--base-url", metavar="URL", help="An OpenAI-compatible server.")] = "",
    budget: Annotated[
        int, typer.Option("--budget", metavar="N", help="Window in tokens: request and reply.", min=0)
    ] = 0,
    target_tokens: Annotated[int, typer.Option("--target-tokens", metavar="N", help="Fold above this.", min=0)] = 0,
    max_cost: Annotated[
        float, typer.Option("--max-cost", metavar="USD", help="Dollars this session may cost.", min=0)
    ] = 0.0,
    max_steps: Annotated[
        int, typer.Option("--max-steps", metavar="N", help="Model calls one turn may take.", min=0)
    ] = 0,
    approval: Annotated[Mode | None, typer.Option("--approval", help="Who decides what runs.")] = None,
    allowed_tools: Annotated[str, typer.Option("--allowed-tools", help="Only these tools, by name, with commas.")] = "",
    read: Annotated[
        list[str] | None, typer.Option("--read", metavar="FILE", help="Put a file before the model, for reference.")
    ] = None,
    file: Annotated[
        list[str] | None, typer.Option("--file", metavar="FILE", help="Put a file before the model, to be changed.")
    ] = None,
    skill: Annotated[
        list[str] | None, typer.Option("--skill", metavar="NAME", help="Load a domain module for the whole session.")
    ] = None,
    no_memory: Annotated[bool, typer.Option("--no-memory", help="Neither load nor write project memory.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the request; send nothing.")] = False,
) -> None:
    """A session in this repository. Raises CtxeError."""
    from ctxe.project.request import Opening

    invocation = Invocation.of(context)
    flags = _flags(model, base_url, budget, target_tokens, max_cost, max_steps, approval, no_memory)
    project = invocation.project(flags)
    screen = invocation.screen()
    opening = Opening(
        resume=fork or resume,
        newest=continue_,
        fork=bool(fork),
        interactive=not print_ and screen.keyboard and not dry_run,
        tools=tuple(name.strip() for name in allowed_tools.split(",") if name.strip()),
        files=tuple([(path, "add") for path in file or ()] + [(path, "read-only") for path in read or ()]),
        skills=tuple(dict.fromkeys(skill or ())),
    )
    said = " ".join(words or [])
    if print_ or dry_run:
        raise typer.Exit(_headless(project, opening, _with_input(said, screen), output_format, dry_run, screen))
    raise typer.Exit(_interactive(project, opening, said, screen))


def _flags(
    model: str, base_url: str, budget: int, target: int, cost: float, steps: int, approval: str | None, no_memory: bool
) -> dict[str, Any]:
    """What the command line sets, as settings by section; what was not said stays out."""
    said: dict[str, dict[str, Any]] = {
        "model": {"name": model, "base_url": base_url},
        "budget": {"window": budget, "target_tokens": target, "max_cost": cost, "max_steps": steps},
        "approval": {"mode": approval},
        "memory": {"enabled": False if no_memory else None},
    }
    return {
        section: {k: v for k, v in keys.items() if v or (v is False and k == "enabled")}
        for section, keys in said.items()
    }


def _with_input(words: str, screen: Screen) -> str:
    """The words, and what stands on standard input where it is no keyboard."""
    if screen.keyboard or sys.stdin is None or sys.stdin.closed:
        return words
    try:
        more = sys.stdin.buffer.read().decode("utf-8", "replace")
    except (OSError, AttributeError):
        more = ""
    return "\n\n".join(part for part in (words, more.strip()) if part)


def _headless(project: Project, opening: Opening, words: str, form: Format, dry_run: bool, screen: Screen) -> int:
    from ctxe.cli import headless, slash
    from ctxe.domain.errors import ConfigError
    from ctxe.domain.tool import Deny
    from ctxe.project.opening import open_session
    from ctxe.terminal.interrupt import restored

    if not words.strip():
        raise ConfigError("there is nothing to say", 'ctxe chat -p "WORDS", or words on standard input')
    words, notices = slash.said(project, words)
    for notice in notices:
        screen.tell(notice)
    if dry_run:
        from ctxe.project.preview import request_json

        screen.say(request_json(project, replace(opening, interactive=False), words))
        return 0
    with restored(screen), open_session(project, opening, lambda *_: Deny("nobody is here to ask")) as live:
        for notice in live.notices:
            screen.tell(notice)
        return headless.run(live, words, form, screen)


def _interactive(project: Project, opening: Opening, words: str, screen: Screen) -> int:
    """The chat loop; every session that is opened on the way is closed properly."""
    from ctxe.cli.errors import say
    from ctxe.cli.offer import ask_window, offer_local
    from ctxe.domain.errors import SessionError
    from ctxe.terminal.interrupt import restored
    from ctxe.terminal.render import Renderer

    with restored(screen), Renderer(screen) as renderer:
        if offer_local(project, screen) or ask_window(project, screen):
            project = project.again()
        opening = replace(opening, mode=_confirmed(project, screen))
        wanted: tuple[str, str] | None = ("", "")
        left = ""
        while wanted is not None:
            kind, session = wanted
            if kind:
                session = "" if kind == "new" else session
                opening = replace(opening, resume=session, newest=False, fork=kind == "fork", files=())
            try:
                code, wanted, left = _one(project, opening, words, screen, renderer)
            except SessionError as error:
                if not left:
                    raise
                say(error.message, error.hint)
                wanted, left = ("resume" if (project.place.sessions / f"{left}.jsonl").exists() else "new", left), ""
            words = ""
        return code


def _confirmed(project: Project, screen: Screen) -> str:
    """``auto`` is confirmed once per folder; "ask" in its place when it was not. Empty: as the settings say."""
    if project.config.approval.mode != "auto" or project.trusted or not screen.keyboard:
        return ""
    from ctxe.terminal.prompt import Prompt

    screen.say(f"approval auto: the model edits files and runs commands in {project.root} without asking")
    if Prompt(screen).ask("trust this folder? [y/n]", ("y", "n")) == "y":
        project.trust()
        return ""
    return "ask"


def _one(
    project: Project, opening: Opening, words: str, screen: Screen, renderer: Any
) -> tuple[int, tuple[str, str] | None, str]:
    """One session until the user leaves it; the exit code, which session comes next, and the id of this one."""
    from ctxe.cli import repl, slash
    from ctxe.cli.chatting import Chat
    from ctxe.project.opening import open_session
    from ctxe.terminal.ask import Asker
    from ctxe.terminal.prompt import Prompt

    prompt = Prompt(
        screen,
        history=project.place.user / "history",
        commands=slash.names(project),
        files=project.complete,
        arguments=lambda name, begun: slash.arguments(project, name, begun),
        editor=project.editor,
    )
    asker = Asker(screen, project.root, prompt, renderer.paused)
    with open_session(project, opening, asker) as live:
        chat = Chat(live, screen, renderer, prompt)
        prompt.toolbar = chat.toolbar
        live.warm()
        greet(chat)
        code = repl.run(chat, words)
        return code, chat.next, live.session.id


def greet(chat: Chat) -> None:
    """Where we are and with whom, in a line or two, and what a person should know before the first word."""
    live = chat.live
    chat.renderer.lines([live.banner(), *live.notices])
    if live.session.state.conversation.turns:
        chat.renderer.lines(
            [f"session {live.session.id} goes on; {len(live.session.state.conversation.turns)} turns so far"]
        )
