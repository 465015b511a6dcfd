"""Parses the command line of ``ctxe chat`` and opens the session. Needs no Typer."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, get_args

from ctxe.cli.app import PICK_FROM_LIST
from ctxe.cli.chat.headless import Format
from ctxe.cli.invocation import Invocation
from ctxe.cli.json_output import print_json
from ctxe.cli.option_parser import OptionParser
from ctxe.config.values import Approval
from ctxe.domain.effort import Effort
from ctxe.domain.errors import ConfigError, UnknownModel
from ctxe.domain.value import dataclass, replace

if TYPE_CHECKING:
    from ctxe.project import Project
    from ctxe.project.session_options import Opening
    from ctxe.terminal.screen import Screen

OPTIONS = OptionParser(
    {
        **dict.fromkeys(("-p", "--print"), "print_"),
        **dict.fromkeys(("-c", "--continue"), "continue_"),
        "--no-memory": "no_memory",
        "--dry-run": "dry_run",
    },
    {
        **dict.fromkeys(("-r", "--resume"), "resume"),
        "--fork": "fork",
        "--model": "model",
        "--effort": "effort",
        "--base-url": "base_url",
        "--budget": "budget",
        "--target-tokens": "target_tokens",
        "--max-cost": "max_cost",
        "--max-steps": "max_steps",
        "--approval": "approval",
        "--allowed-tools": "allowed_tools",
        "--read": "read",
        "--file": "file",
        "--skill": "skill",
        "--output-format": "output_format",
    },
    numbers=("budget", "target_tokens", "max_steps"),
    amounts=("max_cost",),
    lists=("read", "file", "skill"),
    choices={"effort": get_args(Effort), "approval": get_args(Approval), "output_format": get_args(Format)},
)


@dataclass(slots=True)
class ChatOptions:
    """The parsed command line of ``ctxe chat``."""

    words: str = ""
    print_: bool = False
    output_format: Format = "text"
    continue_: bool = False
    resume: str = ""
    fork: str = ""
    model: str = ""
    effort: Effort | None = None
    base_url: str = ""
    budget: int = 0
    target_tokens: int = 0
    max_cost: float = 0.0
    max_steps: int = 0
    approval: Approval | None = None
    allowed_tools: str = ""
    read: Sequence[str] = ()
    file: Sequence[str] = ()
    skill: Sequence[str] = ()
    no_memory: bool = False
    dry_run: bool = False


def parse_words(words: list[str]) -> ChatOptions | None:
    """Parse a plain command line; None if Typer must parse it."""
    read = OPTIONS.parse(words)
    return None if read is None else ChatOptions(" ".join(read[1]), **read[0])


def show(invocation: Invocation, wanted: ChatOptions) -> int:
    """Run the session; returns the exit code of the process. Raises CtxeError."""
    from ctxe.project.session_options import Opening

    project = invocation.project(_flags(wanted))
    _check_effective(project, wanted)
    screen = invocation.screen()
    resume = wanted.resume
    if resume == PICK_FROM_LIST and not (resume := _picked(project, screen)):
        return 0
    opening = Opening(
        resume=wanted.fork or resume,
        newest=wanted.continue_,
        fork=bool(wanted.fork),
        interactive=not wanted.print_ and screen.keyboard and not wanted.dry_run,
        tools=tuple(name.strip() for name in wanted.allowed_tools.split(",") if name.strip()),
        files=tuple([(path, "add") for path in wanted.file] + [(path, "read-only") for path in wanted.read]),
        skills=tuple(dict.fromkeys(wanted.skill)),
    )
    if wanted.print_ or wanted.dry_run:
        return _headless(project, opening, wanted.words, wanted.output_format, wanted.dry_run, screen)
    from ctxe.cli.chat import interactive

    return interactive.run(project, opening, wanted.words, screen)


def _check_effective(project: Project, wanted: ChatOptions) -> None:
    """Reject options that would have no effect, so that nothing goes to an unintended place. Raises ConfigError."""
    if wanted.output_format != "text" and not wanted.print_:
        raise ConfigError("--output-format is for --print", 'ctxe -p "WORDS" --output-format json')
    if not wanted.base_url or wanted.continue_ or wanted.resume or wanted.fork:
        return
    from ctxe.project.models import takes_base_url

    try:
        model = project.model
    except UnknownModel:  # later the user is asked for its window, or told that it is needed
        return
    if not takes_base_url(model):
        raise ConfigError(
            f"{model.id} is not asked at --base-url",
            "name that server's model: --model local/NAME; Anthropic's own API elsewhere is ANTHROPIC_BASE_URL=…",
        )


def _picked(project: Project, screen: Screen) -> str:
    """The session that the user picks; empty when they leave. Raises ConfigError when nobody can pick."""
    from ctxe.cli.sessions import pick_session
    from ctxe.terminal.input.prompt import Prompt

    prompt = Prompt(screen)
    if not prompt.full:
        raise ConfigError("which session?", "name one: -r ID; `ctxe sessions list` shows what there is")
    return pick_session(project, prompt) or ""


def _flags(wanted: ChatOptions) -> dict[str, Any]:
    """The settings given on the command line, by section; those not given are left out."""
    limits = {"max_cost": wanted.max_cost, "max_steps": wanted.max_steps}
    by_section: dict[str, dict[str, Any]] = {
        "model": {"name": wanted.model, "effort": wanted.effort, "base_url": wanted.base_url},
        "budget": {"window": wanted.budget, "target_tokens": wanted.target_tokens, **limits},
        "approval": {"mode": wanted.approval},
        "memory": {"enabled": False if wanted.no_memory else None},
    }
    return {
        section: {k: v for k, v in keys.items() if v or (v is False and k == "enabled")}
        for section, keys in by_section.items()
    }


def _with_input(words: str, screen: Screen) -> str:
    """The words, followed by standard input when it is not a keyboard."""
    if screen.keyboard or sys.stdin is None or sys.stdin.closed:
        return words
    try:
        more = sys.stdin.buffer.read().decode("utf-8", "replace")
    except (OSError, AttributeError):
        more = ""
    return "\n\n".join(part for part in (words, more.strip()) if part)


def _headless(project: Project, opening: Opening, words: str, form: Format, dry_run: bool, screen: Screen) -> int:
    """One turn without a person, or with ``dry_run`` its request printed."""
    from ctxe.cli.chat import headless, slash
    from ctxe.domain.tool import Deny
    from ctxe.project.session.opening import open_session
    from ctxe.terminal.input.interrupt import handling_interrupts

    own, words = words, _with_input(words, screen)
    if not words.strip():
        raise ConfigError("there is nothing to say", 'ctxe -p "WORDS", or words on standard input')
    words, notices = slash.expand_template(project, words)
    for notice in notices:
        screen.tell(notice)
    if dry_run:
        from ctxe.project.window.preview import request_plain

        print_json(request_plain(project, replace(opening, interactive=False), words, own))
        return 0
    with handling_interrupts(screen), open_session(project, opening, lambda *_: Deny("nobody is here to ask")) as live:
        for notice in live.notices:
            screen.tell(notice)
        return headless.run(live, words, form, screen, own)
