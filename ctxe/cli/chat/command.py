"""``ctxe chat``: options in, a session opened, the words or the keyboard handed to it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ctxe.cli.app import PICK
from ctxe.cli.chat.headless import Format
from ctxe.cli.invocation import Invocation
from ctxe.config.values import Approval
from ctxe.domain.effort import Effort
from ctxe.domain.value import replace

if TYPE_CHECKING:
    from ctxe.project import Project
    from ctxe.project.flags import Opening
    from ctxe.terminal.screen import Screen

Print = Annotated[bool, typer.Option("-p", "--print", help="One answer, no questions; standard input is added.")]
Name = Annotated[
    str, typer.Option("--model", metavar="NAME", help="Who answers: provider/name, or a word of it (opus).")
]
Window = Annotated[int, typer.Option("--budget", metavar="N", help="Window in tokens: request and reply.", min=0)]
Dollars = Annotated[float, typer.Option("--max-cost", metavar="USD", help="Dollars this session may cost.", min=0)]
Steps = Annotated[int, typer.Option("--max-steps", metavar="N", help="Model calls one turn may take.", min=0)]
Read = Annotated[
    list[str] | None, typer.Option("--read", metavar="FILE", help="Put a file before the model, for reference.")
]
Files = Annotated[
    list[str] | None, typer.Option("--file", metavar="FILE", help="Put a file before the model, to be changed.")
]
Skills = Annotated[
    list[str] | None, typer.Option("--skill", metavar="NAME", help="Load a domain module for the whole session.")
]


def register(app: typer.Typer) -> None:
    """Add the ``chat`` command."""
    app.command("chat", help="Talk with a model in this repository.")(chat)


def chat(
    context: typer.Context,
    words: Annotated[list[str] | None, typer.Argument(help="what you want; without it, ctxe asks")] = None,
    print_: Print = False,
    output_format: Annotated[Format, typer.Option("--output-format", help="With --print.")] = "text",
    continue_: Annotated[bool, typer.Option("-c", "--continue", help="Go on with the session used last.")] = False,
    resume: Annotated[
        str, typer.Option("-r", "--resume", metavar="[ID]", help="Go on with this session; without ID, pick one.")
    ] = "",
    fork: Annotated[str, typer.Option("--fork", metavar="ID", help="Go on in a copy of this session.")] = "",
    model: Name = "",
    effort: Annotated[Effort | None, typer.Option("--effort", help="How hard the model thinks.")] = None,
    base_url: Annotated[str, typer.Option("--base-url", metavar="URL", help="An OpenAI-compatible server.")] = "",
    budget: Window = 0,
    target_tokens: Annotated[
        int, typer.Option("--target-tokens", metavar="N", help="Fold history above this.", min=0)
    ] = 0,
    max_cost: Dollars = 0.0,
    max_steps: Steps = 0,
    approval: Annotated[Approval | None, typer.Option("--approval", help="Who decides what runs.")] = None,
    allowed_tools: Annotated[str, typer.Option("--allowed-tools", help="Only these tools, names with commas.")] = "",
    read: Read = None,
    file: Files = None,
    skill: Skills = None,
    no_memory: Annotated[bool, typer.Option("--no-memory", help="Neither load nor write project memory.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the request; send nothing.")] = False,
) -> None:
    """A session in this repository. Raises CtxeError."""
    from ctxe.project.flags import Opening

    invocation = Invocation.of(context)
    flags = _flags(model, effort, base_url, budget, target_tokens, max_cost, max_steps, approval, no_memory)
    project = invocation.project(flags)
    screen = invocation.screen()
    if resume == PICK and not (resume := _picked(project, screen)):
        return
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
        raise typer.Exit(_headless(project, opening, said, output_format, dry_run, screen))
    from ctxe.cli.chat import interactive

    raise typer.Exit(interactive.run(project, opening, said, screen))


def _picked(project: Project, screen: Screen) -> str:
    """The session to go on with; empty when the person leaves. Raises ConfigError where nobody can pick."""
    from ctxe.cli.sessions import picked
    from ctxe.domain.errors import ConfigError
    from ctxe.terminal.input.prompt import Prompt

    prompt = Prompt(screen)
    if not prompt.full:
        raise ConfigError("which session?", "name one: -r ID; `ctxe sessions list` shows what there is")
    return picked(project, prompt) or ""


def _flags(
    model: str,
    effort: str | None,
    base_url: str,
    budget: int,
    target: int,
    cost: float,
    steps: int,
    approval: str | None,
    no_memory: bool,
) -> dict[str, Any]:
    """What the command line sets, as settings by section; what was not said stays out."""
    said: dict[str, dict[str, Any]] = {
        "model": {"name": model, "effort": effort, "base_url": base_url},
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
    from ctxe.cli.chat import headless, slash
    from ctxe.domain.errors import ConfigError
    from ctxe.domain.tool import Deny
    from ctxe.project.session.opening import open_session
    from ctxe.terminal.input.interrupt import restored

    own, words = words, _with_input(words, screen)
    if not words.strip():
        raise ConfigError("there is nothing to say", 'ctxe -p "WORDS", or words on standard input')
    words, notices = slash.said(project, words)
    for notice in notices:
        screen.tell(notice)
    if dry_run:
        from ctxe.project.window.preview import request_json

        screen.say(request_json(project, replace(opening, interactive=False), words, own))
        return 0
    with restored(screen), open_session(project, opening, lambda *_: Deny("nobody is here to ask")) as live:
        for notice in live.notices:
            screen.tell(notice)
        return headless.run(live, words, form, screen, own)
