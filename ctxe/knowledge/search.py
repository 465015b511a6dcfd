"""Searching the memory by plain shared words, with the rules of the public contract: links followed, nothing hidden."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from ctxe.domain.section import Task
from ctxe.knowledge.entry import Entry
from ctxe.knowledge.links import is_current, successors
from ctxe.knowledge.query import Found, Query, Result
from ctxe.knowledge.ranking import Rank, Words

INJECTED = 0.35
"""Score from which an entry would be put before a model."""


@dataclass(frozen=True)
class Search:
    """Answers questions about a fixed set of entries. ``count`` gives tokens of a text."""

    entries: Sequence[Entry]
    count: Callable[[str], int]
    rank: Rank = field(default_factory=Words)
    _tokens: dict[str, int] = field(default_factory=dict, repr=False, compare=False)

    def search(self, query: Query) -> Found:
        """Entries that bear on a question, best first; a superseded one gives its final successor instead."""
        shown = [entry for entry in self.entries if query.as_of is None or entry.time < query.as_of]
        replaced = successors(shown)
        held = {entry.id: entry for entry in shown}
        words = " ".join(part for part in (query.text, query.command, query.error) if part)
        ranked = self.rank(Task(words, query.files), [entry for entry in shown if entry.status != "proposed"])
        rows: dict[str, tuple[Entry, float]] = {}
        for entry, score in ranked:
            final = held.get(replaced.get(entry.id, ""), entry)
            fits = final.id not in query.exclude and is_current(final, replaced)
            if fits and (not query.kind or final.kind == query.kind) and (not query.inject or score >= INJECTED):
                rows.setdefault(final.id, (final, score))
        results = self._within(rows.values(), query)
        return Found(results, query.inject and not results)

    def _within(self, rows: Iterable[tuple[Entry, float]], query: Query) -> tuple[Result, ...]:
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
