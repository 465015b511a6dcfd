"""Single lines about a session: its banner, and the status row below the input line."""

from __future__ import annotations

from ctxe import __version__
from ctxe.domain.model import Model
from ctxe.domain.section import Task
from ctxe.project.models import choice
from ctxe.project.session.live import Live
from ctxe.terminal.figures import plural, size

NAMED = 3
"""Most instruction files to list by name."""


def banner(live: Live) -> str:
    """Folder, model and approval mode in one line for the start."""
    why = choice(live.project).why
    who = ", ".join(filter(None, [f"{live.model.id} ({why})", effort(live.model)]))
    return f"ctxe {__version__} in {live.project.root}: {who}, approval {live.permit.description()}"


def rules(live: Live) -> list[str]:
    """A line with the instruction files that every request holds, and their tokens; empty without any."""
    room = live.project.budget.room("instructions")
    standing = [one for one in live.composer.offers.instructions.sources(Task(), room) if one.tokens]
    if not standing:
        return []
    names = ", ".join(one.path for one in standing[:NAMED])
    more = f" and {len(standing) - NAMED} more" if len(standing) > NAMED else ""
    return [f"rules: {names}{more} ({size(sum(one.tokens for one in standing))} tokens in every request)"]


def status(live: Live, width: int = 0) -> str:
    """Model, tokens, money and mode for the row below the input line. In a narrow one the model's name is dropped."""
    state = live.session.state
    ledger = state.ledger
    used = f"{size(state.size)} of {size(ledger.usable)} tokens" if ledger else "nothing sent yet"
    money = f"${state.usd:.4f}" if live.model.prices or state.usd else "no price"
    if limit := live.project.config.budget.max_cost:
        money += f" of ${limit:.2f}"
    rest = [used, money, live.permit.mode, *jobs(live)]
    names = filter(None, [effort(live.model)])
    rows = ["  ".join(row) for row in ([live.model.id, *names, *rest], [live.model.name, *rest], rest)]
    return next((row for row in rows if not width or len(row) <= width), rows[-1])


def jobs(live: Live) -> list[str]:
    """How many jobs run (nothing for none), and that Ctrl-B waits for one to end."""
    running = [plural(count, "job")] if (count := len(live.kit.jobs.running)) else []
    return [*running, "Ctrl-B: waits until one ends"] if live.kit.jobs.is_move_waiting else running


def going(live: Live) -> list[str]:
    """What goes on beside the model's work: jobs, servers that start, and the first index build."""
    starting = (f"starting the server {name}" for name in live.kit.servers.starting())
    return [*jobs(live), *starting, *filter(None, [live.composer.offers.going()])]


def effort(model: Model) -> str:
    """The effort as shown beside the model's name; empty for the provider's default."""
    return f"effort {model.effort}" if model.effort else ""
