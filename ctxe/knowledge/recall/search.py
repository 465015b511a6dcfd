"""Searches the memory by the rules of the public contract: follows links and never returns a superseded entry."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from ctxe.domain.value import dataclass, field
from ctxe.knowledge.entries.entry import Entry
from ctxe.knowledge.entries.links import is_current, successors
from ctxe.knowledge.recall.query import Query, Result, Results
from ctxe.knowledge.recall.ranker import Ranker
from ctxe.knowledge.recall.worth import Scored


@dataclass(frozen=True)
class Search:
    """Answers queries about a fixed set of entries, in causal order. ``count`` returns the tokens of a text."""

    entries: Sequence[Entry]
    count: Callable[[str], int]
    ranker: Ranker = field(default_factory=Ranker)
    _tokens: dict[str, int] = field(default_factory=dict, repr=False, compare=False)
    _linked: list[Entry] = field(default_factory=list, repr=False, compare=False)
    _held: dict[str, Entry] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        self._linked.extend(entry for entry in self.entries if entry.supersedes)
        self._held.update((entry.id, entry) for entry in self.entries)

    def search(self, query: Query) -> Results:
        """Entries that match the query, best first; a superseded one is replaced by its final successor.

        With ``query.inject`` only what would be put before a model, and ``abstained`` if that is nothing.
        """
        replaced = successors(filter(query.sees, self._linked))

        def final(entry: Entry) -> Entry:
            return self._held.get(replaced.get(entry.id, ""), entry)

        def live(entry: Entry) -> bool:
            if entry.status == "proposed" or not query.sees(entry):
                return False
            last = final(entry)
            fits = last.id not in query.exclude and (not query.kind or last.kind == query.kind)
            return fits and is_current(last, replaced)

        ask = self.ranker.bearing if query.inject else self.ranker.ranked
        rows: dict[str, tuple[Entry, Scored]] = {}
        for one in ask(query, self.entries, live):
            last = final(one.entry)
            rows.setdefault(last.id, (last, one))
        results = self._within_limits(((entry, one.score) for entry, one in rows.values()), query)
        return Results(results, query.inject and not results)

    def _within_limits(self, rows: Iterable[tuple[Entry, float]], query: Query) -> tuple[Result, ...]:
        """The first ``k`` rows that fit the token budget; one that is too long is skipped."""
        results: list[Result] = []
        spent = 0
        for entry, score in rows:
            if len(results) == query.k:
                break
            tokens = self._cost(entry)
            if query.budget_tokens and spent + tokens > query.budget_tokens:
                continue
            spent += tokens
            results.append(Result(entry.id, score, tokens, entry.kind, entry.title))
        return tuple(results)

    def _cost(self, entry: Entry) -> int:
        if entry.id not in self._tokens:
            self._tokens[entry.id] = self.count(f"{entry.title}\n{entry.text}" if entry.title else entry.text)
        return self._tokens[entry.id]
