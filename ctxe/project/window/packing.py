"""The context of a task as one text for another tool: rules, memory and files under a hard cap (``ctxe pack``)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from ctxe.context.assemble import pack
from ctxe.context.budget import Budget, Share
from ctxe.context.tokens import JOIN, Count
from ctxe.domain.errors import BudgetError
from ctxe.domain.section import Section, ShareName, Task
from ctxe.domain.value import dataclass, replace
from ctxe.project.planning.indexing import Advance
from ctxe.project.window.preview import composer_for
from ctxe.repo.planning.source import section as planned

if TYPE_CHECKING:
    from ctxe.project import Project

USUAL = 16_000
"""Default budget in tokens: enough for seven in ten lines of a fix (docs/decisions/0005)."""
LEAST = 400
"""Smallest budget in tokens with which a bundle holds anything useful."""
MEMORY, INSTRUCTIONS = 0.15, 0.25
"""Largest shares of a bundle for memory and for rules; what they leave goes to files."""
OPENING = (
    "What bears on the task at the end, from its repository: rules, what is remembered, and the files that matter."
)


@dataclass(frozen=True, slots=True)
class Bundle:
    """``text`` has ``tokens`` tokens (o200k_base), never more than ``budget``; ``sections`` list its parts."""

    task: str
    budget: int
    tokens: int
    text: str
    sections: tuple[Section, ...]


def bundle(project: Project, words: str, budget: int = USUAL, advance: Advance | None = None) -> Bundle:
    """Rules, memories and files for these words, without a connection to any host. Raises BudgetError, StoreError."""
    from ctxe.storage.vocabulary import count

    room = budget - count(_text((), words))
    if room < 0:
        raise BudgetError(f"the task alone has more than {budget:,} tokens", "give a larger --budget or fewer words")
    sections = _fit(_gathered(project, words, room, count, advance), words, budget, count)
    text = _text(sections, words)
    return Bundle(words, budget, count(text), text, sections)


def to_json(made: Bundle) -> dict[str, Any]:
    """A bundle as JSON for other programs, with the tokens of each part."""
    from ctxe.storage.vocabulary import count

    return {
        "task": made.task,
        "budget": made.budget,
        "tokens": made.tokens,
        "sections": [_section_json(section, count) for section in made.sections],
        "text": made.text,
    }


def _gathered(project: Project, words: str, room: int, count: Count, advance: Advance | None) -> list[Section]:
    """Sections within ``room`` tokens: memory, then rules (those for planned files too), then files in what is left."""
    from ctxe.project.planning.plan import plan, unconnected

    project = unconnected(project)
    composed = composer_for(project)
    sources = dict(composed.offers.sources)
    shares = Budget(room, 0, _shares(project))

    def offered(share: ShareName, files: tuple[str, ...] = ()) -> list[Section]:
        found = sources[share].offer(Task(words, files), shares.room(share)) if share in sources else ()
        return [one for one in pack([composed.cleaned(one) for one in found], shares, count) if one.chunks]

    remembered, rules = offered("memory"), offered("instructions")
    for _ in range(2):
        left = room - sum(map(_price(count), (*rules, *remembered)))
        made = plan(project, words, left - JOIN, advance)
        scoped = offered("instructions", tuple(file.path for file in made.files if file.mode != "name"))
        if scoped == rules:
            break
        rules = scoped
    return [*rules, *remembered, composed.cleaned(planned(made))]


def _shares(project: Project) -> dict[ShareName, Share]:
    shares = project.config.shares
    return {
        "memory": Share(MEMORY, shares.memory_tokens),
        "instructions": Share(INSTRUCTIONS, shares.instructions_tokens),
        "skills": Share(0.0),
        "files": Share(1.0),
    }


def _fit(sections: Sequence[Section], words: str, budget: int, count: Count) -> tuple[Section, ...]:
    """The sections without the last files until the whole text fits: a mask may be longer than the key it hides."""
    kept = [section for section in sections if section.chunks]
    while kept and count(_text(kept, words)) > budget:
        last = kept[-1]
        kept[-1:] = [replace(last, chunks=last.chunks[:-1])] if len(last.chunks) > 1 else []
    return tuple(kept)


def _text(sections: Sequence[Section], words: str) -> str:
    parts = [OPENING]
    for section in sections:
        parts += [f"# {section.name}", *(chunk.text for chunk in section.chunks)]
    return "\n\n".join([*parts, "# task", words.strip()]) + "\n"


def _price(count: Count) -> Callable[[Section], int]:
    return lambda section: sum(count(chunk.text) + JOIN for chunk in section.chunks) + count(section.name) + 2 * JOIN


def _section_json(section: Section, count: Count) -> dict[str, Any]:
    chunks = [
        {"id": chunk.id, "tokens": count(chunk.text), "tier": chunk.tier, "why": chunk.why} for chunk in section.chunks
    ]
    out = [{"id": one.id, "tokens": one.tokens, "why": one.why} for one in section.left_out]
    return {
        "name": section.name,
        "tokens": sum(count(chunk.text) for chunk in section.chunks),
        "chunks": chunks,
        "left_out": out,
    }
