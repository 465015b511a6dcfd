"""Queries to the memory and their results, in the terms of the public contract."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ctxe.domain.errors import CtxeError
from ctxe.domain.value import dataclass
from ctxe.knowledge.entries.entry import Entry
from ctxe.knowledge.entries.logs import parse_object

MOST = 10
"""Number of results if a query does not state one."""


@dataclass(frozen=True, slots=True)
class Query:
    """A query. ``as_of`` hides entries at or after that time, ``exclude`` hides entries by id.

    ``inject`` asks only for what would be put before a model, which may be nothing. ``budget_tokens`` (0: no limit)
    limits the tokens of all results together; ``command`` and ``error`` describe a failed run.
    """

    text: str = ""
    files: tuple[str, ...] = ()
    k: int = MOST
    kind: str = ""
    as_of: float | None = None
    exclude: frozenset[str] = frozenset()
    inject: bool = False
    budget_tokens: int = 0
    command: str = ""
    error: str = ""
    qid: str | int | float | None = None

    def sees(self, entry: Entry) -> bool:
        """Whether the entry existed at the time of the query."""
        return self.as_of is None or entry.time < self.as_of


@dataclass(frozen=True, slots=True)
class Result:
    """A result, which holds today: a superseded entry is replaced by its final successor."""

    id: str
    score: float
    tokens: int
    kind: str
    title: str

    def as_json(self) -> dict[str, Any]:
        """The JSON of the public contract."""
        return {
            "id": self.id,
            "score": round(self.score, 6),
            "tokens": self.tokens,
            "current": True,
            "superseded_by": None,
            "kind": self.kind,
            "title": self.title,
        }


@dataclass(frozen=True, slots=True)
class Results:
    """The results of a query, best first; ``abstained`` if there is nothing worth injecting."""

    results: tuple[Result, ...]
    abstained: bool

    def as_json(self, query: Query) -> dict[str, Any]:
        """The JSON of the public contract."""
        rows = [result.as_json() for result in self.results]
        return {"qid": query.qid, "results": rows, "abstained": self.abstained}


def from_line(line: str | bytes, kind: str = "") -> Query:
    """The query in a JSON line. Raises CtxeError that names the problem."""
    try:
        return from_mapping(parse_object(line), kind)
    except ValueError as error:
        raise CtxeError(f"not a question: {error}", 'a line is {"qid": …, "text": …}') from None


def qid_of(line: str | bytes) -> dict[str, Any]:
    """The line's ``qid`` for an error message about it; empty if it is no object or has none."""
    try:
        asked = parse_object(line)
    except ValueError:
        return {}
    return {"qid": asked["qid"]} if "qid" in asked else {}


def from_mapping(held: Mapping[str, Any], kind: str = "") -> Query:
    """The query in a JSON object; keys of the wrong type count as missing. Raises ValueError for an empty query."""
    query = Query(
        text=_words(held.get("text")),
        files=_names(held.get("files")),
        k=_whole(held.get("k"), MOST),
        kind=kind or _words(held.get("kind")),
        as_of=_number(held.get("as_of")),
        exclude=frozenset(_names(held.get("exclude"))),
        inject=held.get("inject") is True,
        budget_tokens=_whole(held.get("budget_tokens"), 0),
        command=_words(held.get("command")),
        error=_words(held.get("error")),
        qid=held.get("qid"),
    )
    if not (query.text or query.files or query.command or query.error):
        raise ValueError("neither text nor files nor an error")
    return query


def _words(value: object) -> str:
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else ""


def _names(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    return tuple(str(item) for item in value if isinstance(item, str | int)) if isinstance(value, list) else ()


def _whole(value: object, default: int) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else default


def _number(value: object) -> float | None:
    try:
        return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
    except OverflowError:
        return None
