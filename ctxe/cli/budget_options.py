"""Finding the ledger for ``ctxe budget`` and printing it for people or programs. Needs no Typer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ctxe.cli.invocation import Invocation
from ctxe.cli.json_output import print_json
from ctxe.cli.option_parser import OptionParser
from ctxe.domain.errors import ConfigError, SessionError
from ctxe.domain.value import dataclass

if TYPE_CHECKING:
    from ctxe.domain.ledger import Ledger
    from ctxe.domain.past import SentRequest
    from ctxe.project import Project

OPTIONS = OptionParser(
    {"--json": "as_json", "--explain": "explain"},
    {"--budget": "window", "--model": "model", "--session": "session", "--step": "step"},
    ("window", "step"),
)


@dataclass(slots=True)
class BudgetOptions:
    """The parsed command line of ``ctxe budget``."""

    task: str = ""
    explain: bool = False
    as_json: bool = False
    window: int = 0
    model: str = ""
    session: str = ""
    step: int = 0


def parse_words(words: list[str]) -> BudgetOptions | None:
    """Parse a plain command line; None if Typer must parse it."""
    parsed = OPTIONS.parse(words)
    return None if parsed is None else BudgetOptions(" ".join(parsed[1]), **parsed[0])


def show(invocation: Invocation, wanted: BudgetOptions) -> None:
    """Print the ledger; offline. Raises BudgetError, ConfigError, SessionError."""
    from ctxe.project.models import prices_of

    if wanted.step and not wanted.session:
        raise ConfigError("--step needs --session", "ctxe budget --session ID --step N; `ctxe sessions list` shows ids")
    flags: dict[str, Any] = {"model": {"name": wanted.model}} if wanted.model else {}
    project = invocation.project(flags | ({"budget": {"window": wanted.window}} if wanted.window else {}))
    sent_request = _past_request(project, wanted.session, wanted.step) if wanted.session else None
    ledger = sent_request.ledger if sent_request else _next_ledger(project, wanted.task)
    prices = prices_of(project, ledger.model)
    screen = invocation.screen()
    if wanted.as_json:
        from ctxe.serve.answers import ledger_json

        print_json(ledger_json(ledger, prices) | (_request_facts(sent_request) if sent_request else {}))
        return
    from ctxe.terminal.pages.budget import ledger_view, sent_view

    if sent_request:
        screen.say(sent_view(sent_request, screen))
    screen.say(ledger_view(ledger, screen, explain=wanted.explain, prices=prices))


def _next_ledger(project: Project, task: str) -> Ledger:
    from ctxe.project.window.preview import ledger

    return ledger(project, task)


def _past_request(project: Project, session: str, step: int) -> SentRequest:
    """A request of a past session by its number, 0 for the last. Raises SessionError."""
    from ctxe.project.sessions import path_of
    from ctxe.project.window.past import past
    from ctxe.terminal.figures import plural

    requests = past(project, path_of(project.place.sessions, session)).requests
    if not 0 <= step <= len(requests) or not requests:
        raise SessionError(f"session {session} sent {plural(len(requests), 'request')}", "--step counts from 1")
    return requests[step - 1]


def _request_facts(sent: SentRequest) -> dict[str, Any]:
    """The facts of a sent request besides its ledger."""
    usage = sent.ledger.usage
    return {
        "request": {
            "number": sent.number,
            "turn": sent.turn,
            "step": sent.step,
            "at": sent.at,
            "words": sent.words,
            "began": sent.epoch_cause,
            "broke": sent.ledger.broke,
            "usage": usage and {"input": usage.input, "output": usage.output, "cache_read": usage.cache_read},
            "usd": sent.ledger.usd,
            "usd_without_cache": sent.plain_usd,
            "seconds": sent.seconds,
        }
    }
