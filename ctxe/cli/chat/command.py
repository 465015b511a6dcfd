"""``ctxe chat``: its options as Typer parses them."""

from __future__ import annotations

from typing import Annotated

import typer

from ctxe.cli.chat.headless import Format
from ctxe.cli.invocation import Invocation
from ctxe.config.values import Approval
from ctxe.domain.effort import Effort

Print = Annotated[bool, typer.Option("-p", "--print", help="One answer, no questions; standard input is added.")]
Resume = Annotated[
    str, typer.Option("-r", "--resume", metavar="[ID]", help="Resume this session; without ID, pick one.")
]
Name = Annotated[
    str, typer.Option("--model", metavar="NAME", help="The model: provider/name, or a word of its name (opus).")
]
Window = Annotated[int, typer.Option("--budget", metavar="N", help="Window in tokens: request and reply.", min=0)]
Target = Annotated[int, typer.Option("--target-tokens", metavar="N", help="Fold history above this.", min=0)]
Dollars = Annotated[float, typer.Option("--max-cost", metavar="USD", help="Dollars this session may cost.", min=0)]
Steps = Annotated[int, typer.Option("--max-steps", metavar="N", help="Model calls one turn may take.", min=0)]
Read = Annotated[list[str] | None, typer.Option("--read", metavar="FILE", help="Show the model a file, for reference.")]
Files = Annotated[
    list[str] | None, typer.Option("--file", metavar="FILE", help="Show the model a file, to be changed.")
]
Skills = Annotated[
    list[str] | None, typer.Option("--skill", metavar="NAME", help="Load a domain module for the whole session.")
]


def register(app: typer.Typer) -> None:
    """Add the ``chat`` command."""
    app.command("chat", help="Chat with a model in this repository.")(chat)


def chat(
    context: typer.Context,
    words: Annotated[list[str] | None, typer.Argument(help="what you want; without it, ctxe asks")] = None,
    print_: Print = False,
    output_format: Annotated[Format, typer.Option("--output-format", help="With --print.")] = "text",
    continue_: Annotated[bool, typer.Option("-c", "--continue", help="Continue the most recent session.")] = False,
    resume: Resume = "",
    fork: Annotated[str, typer.Option("--fork", metavar="ID", help="Continue in a copy of this session.")] = "",
    model: Name = "",
    effort: Annotated[Effort | None, typer.Option("--effort", help="How hard the model thinks.")] = None,
    base_url: Annotated[str, typer.Option("--base-url", metavar="URL", help="An OpenAI-compatible server.")] = "",
    budget: Window = 0,
    target_tokens: Target = 0,
    max_cost: Dollars = 0.0,
    max_steps: Steps = 0,
    approval: Annotated[Approval | None, typer.Option("--approval", help="Who decides what runs.")] = None,
    allowed_tools: Annotated[str, typer.Option("--allowed-tools", help="Only these tools, separated by commas.")] = "",
    read: Read = None,
    file: Files = None,
    skill: Skills = None,
    no_memory: Annotated[bool, typer.Option("--no-memory", help="Neither load nor write project memory.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the request; send nothing.")] = False,
) -> None:
    """Start a session in this repository. Raises CtxeError."""
    from ctxe.cli.chat.options import ChatOptions, show

    wanted = ChatOptions(
        " ".join(words or []),
        print_,
        output_format,
        continue_,
        resume,
        fork,
        model,
        effort,
        base_url,
        budget,
        target_tokens,
        max_cost,
        max_steps,
        approval,
        allowed_tools,
        read or (),
        file or (),
        skill or (),
        no_memory,
        dry_run,
    )
    raise typer.Exit(show(Invocation.of(context), wanted))
