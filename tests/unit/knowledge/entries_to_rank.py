"""Makes entries on a few subjects, for tests of recall."""

from __future__ import annotations

from ctxe.knowledge.entries.entry import Entry
from ctxe.knowledge.recall.query import Query
from ctxe.knowledge.recall.ranker import Ranker

SUBJECTS = (
    "parser tokens grammar", "socket retries timeout", "database migration schema", "login password session",
    "image thumbnails resize", "invoice rounding currency", "calendar timezone recurrence", "search ranking synonyms",
    "upload multipart chunks", "cache eviction memory", "logging rotation format", "email bounce template",
)  # fmt: skip


def facts(number: int = 24) -> list[Entry]:
    """Facts about many subjects, no two of the same words."""
    return [
        Entry(
            f"f{n}",
            "fact",
            f"The {SUBJECTS[n % 12]} of part{n}",
            text=f"Part{n} owns the {SUBJECTS[n % 12].split()[n % 3]} and its module{n} says how.",
            path=f"memory/f{n}.md",
        )
        for n in range(number)
    ]


def answers(ranker: Ranker, entries: list[Entry]) -> list[list[tuple[str, float]]]:
    """The first hits of four questions, with their scores."""
    asked = ("socket timeout of part13", "module7", "currency rounding in invoices", "who owns image thumbnails?")
    return [[(one.entry.id, round(one.score, 9)) for one in ranker.ranked(Query(text), entries)][:20] for text in asked]
