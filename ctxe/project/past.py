"""Reading back what a session sent: its requests, their money with and without a cache, and what of them was used."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ctxe.agent.log import header_of, timed_events
from ctxe.agent.requests import requests, texts
from ctxe.agent.state import State, rebuild
from ctxe.context.used import injected
from ctxe.domain.conversation import Usage
from ctxe.domain.ledger import Ledger
from ctxe.domain.model import ToolSchema
from ctxe.domain.past import Past, Said, Sent

if TYPE_CHECKING:
    from ctxe.project import Project


def past(project: Project, path: Path, *, whole: bool = False) -> Past:
    """A session as its log has it; ``whole`` also finds the texts of every request. Raises SessionError."""
    header, timed = header_of(path), list(timed_events(path))
    schemas = _schemas(project) if whole else ()
    sent: list[Sent] = []
    found: dict[str, tuple[Said, ...]] = {}
    for one, state in requests(timed):
        sent.append(replace(one, plain_usd=_plain(project, one.ledger)))
        if whole:
            found |= texts(one.ledger, state, schemas, found)
    tokens = {row.digest: row.given for one in sent for row in one.ledger.rows if row.given}
    conversation = rebuild(event for _, event in timed).conversation
    used = injected(conversation, tokens)
    changed = tuple(path for path, touch in conversation.touched().items() if touch.operation != "read")
    name = str(header.get("session", path.stem))
    return Past(name, str(header.get("project", "")), tuple(sent), used, found, changed)


def _schemas(project: Project) -> tuple[ToolSchema, ...]:
    """The tools as they are now: the log keeps their content hashes and not their text."""
    from ctxe.project.kit import kit_for
    from ctxe.project.parts import keeping
    from ctxe.project.sandboxing import UNBOXED

    return kit_for(project, UNBOXED, State, keeping(project, "past", approved=False), ()).schemas


def _plain(project: Project, ledger: Ledger) -> float | None:
    """What a reply would have cost with nothing cached; None while its usage or its price is unknown."""
    prices = project.prices(ledger.model)
    if prices is None or ledger.usage is None:
        return None
    return prices.cost(Usage(ledger.usage.input, ledger.usage.output))
