"""Reads back what a session sent: its requests, their cost with and without a cache, the use of injected context."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ctxe.agent.log import header_of, timed_events
from ctxe.agent.requests import requests, texts
from ctxe.agent.transitions import rebuild
from ctxe.context.use_evidence import injected_chunks
from ctxe.domain.conversation import Usage
from ctxe.domain.events import Consulted, ContextAssembled, Kept, Summarized
from ctxe.domain.model import ToolSchema
from ctxe.domain.past import Consultation, Past, SentRequest, WireText, known_total
from ctxe.domain.value import replace

if TYPE_CHECKING:
    from ctxe.project import Project


def past(project: Project, path: Path, *, whole: bool = False) -> Past:
    """A session as its log tells it; ``whole`` also finds the texts of every request. Raises SessionError."""
    header, timed = header_of(path), list(timed_events(path))
    schemas = _schemas(project) if whole else ()
    sent: list[SentRequest] = []
    found: dict[str, tuple[WireText, ...]] = {}
    for one, state in requests(timed):
        sent.append(replace(one, plain_usd=_plain_usd(project, one.ledger.model, one.ledger.usage)))
        if whole:
            found |= texts(one.ledger, state, schemas, found)
    tokens = {row.digest: row.given for one in sent for row in one.ledger.rows if row.given}
    conversation = rebuild(event for _, event in timed).conversation
    used = injected_chunks(conversation, tokens)
    name = str(header.get("session", path.stem))
    summed = tuple(_summaries(project, timed))
    return Past(name, str(header.get("project", "")), tuple(sent), used, found, conversation.changed(), summed)


def _summaries(project: Project, timed: Iterable[tuple[str, Kept]]) -> Iterator[Consultation]:
    """Replies of models asked beside the conversation, with their cost; the replies of one delegate are added up."""
    number = 0
    asked: dict[str, Consultation] = {}
    for place, (_, event) in enumerate(timed):
        if isinstance(event, ContextAssembled):
            number += 1
        elif isinstance(event, Summarized | Consulted) and event.usage is not None:
            plain = _plain_usd(project, event.model, event.usage)
            what, of = (event.why, event.session) if isinstance(event, Consulted) else ("summary", "")
            made = Consultation(number + 1, event.model, event.usage, event.usd, plain, what)
            name = of or str(place)
            asked[name] = _joined(asked[name], made) if name in asked else made
    yield from asked.values()


def _joined(one: Consultation, more: Consultation) -> Consultation:
    """Two replies added up in one row."""
    usd, plain = known_total((one.usd, more.usd)), known_total((one.plain_usd, more.plain_usd))
    return replace(one, usage=one.usage + more.usage, usd=usd, plain_usd=plain, replies=one.replies + more.replies)


def _schemas(project: Project) -> tuple[ToolSchema, ...]:
    """The tools of today, since the log keeps only their content hashes and not their text."""
    from ctxe.project.memory.writer import memory_writer
    from ctxe.project.window.kit import kit_for

    return kit_for(project, memory_writer(project, "past")).schemas


def _plain_usd(project: Project, model: str, usage: Usage | None) -> float | None:
    """What a reply would have cost without a cache; None while its usage or its price is unknown."""
    from ctxe.project.models import prices_of

    prices = prices_of(project, model)
    if prices is None or usage is None:
        return None
    return prices.cost(Usage(usage.input, usage.output))
