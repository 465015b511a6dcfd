"""Searches everything remembered, for questions from the command line or from JSON lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from ctxe.domain.errors import CtxeError
from ctxe.domain.value import replace
from ctxe.knowledge.entries.logs import to_object
from ctxe.knowledge.recall import query

if TYPE_CHECKING:
    from ctxe.knowledge.recall.search import Search
    from ctxe.project import Project

SEARCH = 'ctxe memory search "how are sessions stored"'


def search(project: Project) -> Search:
    """The search over everything remembered."""
    from ctxe.knowledge.recall.search import Search
    from ctxe.storage.vocabulary import count

    return Search(project.store.entries(), count, project.ranker)


def answers(project: Project, lines: Iterable[str], kind: str = "") -> Iterator[dict[str, Any]]:
    """One answer per JSON line, in order; an invalid line gets ``{"error": …}``."""
    ask = search(project)
    for line in lines:
        if not line.strip():
            continue
        try:
            asked = query.from_line(line, kind)
        except CtxeError as error:
            yield {**query.qid_of(line), "error": error.message}
            continue
        yield ask.search(asked).as_json(asked)


def parse_question(words: str, example: str = SEARCH, **values: Any) -> query.Query:
    """A question from the command line; the words may also be a JSON object. Raises CtxeError with ``example``."""
    held = {key: value for key, value in values.items() if value}
    if words.lstrip().startswith("{"):
        found = query.from_line(words)
        return replace(found, **held)
    if not (words.strip() or any(held.get(name) for name in ("files", "command", "error"))):
        raise CtxeError("say what to look for", example)
    return query.Query(text=words, **held)


def answer(project: Project, question: query.Query) -> dict[str, Any]:
    """The answer to one question, as the contract defines it."""
    return search(project).search(question).as_json(question)


def answer_in_full(project: Project, question: query.Query) -> dict[str, Any]:
    """The answer to one question, with the full text of each entry it names."""
    found = answer(project, question)
    held = {entry.id: entry for entry in project.store.entries()}
    rows = [to_object(held[row["id"]]) | row for row in found["results"] if row["id"] in held]
    return found | {"results": [{key: value for key, value in row.items() if value} for row in rows]}
