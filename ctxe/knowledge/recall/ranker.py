"""Ranks the entries that answer a question, and selects those worth injecting."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from ctxe.domain.errors import CtxeError
from ctxe.domain.section import Task
from ctxe.domain.value import replace
from ctxe.knowledge.asked import asked_kind
from ctxe.knowledge.entries.entry import Entry
from ctxe.knowledge.recall.postings import Postings
from ctxe.knowledge.recall.propose import candidates
from ctxe.knowledge.recall.query import Query
from ctxe.knowledge.recall.reading import read_question, wording
from ctxe.knowledge.recall.signals import SlotSignals
from ctxe.knowledge.recall.stored_postings import Damaged
from ctxe.knowledge.recall.weights import Weights, score, shipped_weights
from ctxe.knowledge.recall.worth import Scored, relevance_odds, relevant

Live = Callable[[Entry], bool]
"""Whether an entry may be found at all."""
Similar = Callable[[Sequence[str], str], list[float]]
"""Cosine of each text to a query, by an embedding model. Raises CtxeError if it cannot be reached."""
MEANT = 40
"""Best candidates whose embeddings are compared."""
MEANING = 8.0
"""Weight of a cosine difference of 1 in a score. It is not fitted, because no embedding model ships with ctxe."""
ASKED_MOST, ASKED = 3, -1.2
"""Most entries shown to a user who asks for what is remembered, and their least log odds. Of ten questions about things
decided all were answered with it, of fifteen about others nine were met with silence.
"""
MOST_MEANT = 2_000
"""Characters of an entry or a question that are embedded."""


def everything(_entry: Entry) -> bool:
    """Every entry may be found."""
    return True


class Ranker:
    """Ranks entries for queries and reads each entry only once. ``cache`` (a folder) keeps the readings for later runs.

    Results do not depend on earlier queries, on the thread, or on what was cached. With ``similar`` the embeddings of
    the best candidates count too; if that fails, words alone decide.
    """

    def __init__(
        self, cache: Path | None = None, weights: Weights | None = None, similar: Similar | None = None
    ) -> None:
        """Entries are read by the first query."""
        self._weights = weights or shipped_weights()
        self._similar = similar
        self._postings = Postings(cache, self._weights.common)
        # A session ranks ahead in a second thread; one query must not change the postings that another one reads.
        self._lock = threading.RLock()

    def ranked(self, query: Query, entries: Sequence[Entry], live: Live = everything) -> list[Scored]:
        """Entries that share something with the query, best first. ``entries`` are all entries in causal order."""
        return self._rebuilt_if_damaged(lambda: self.found(self.look(query, entries), live, query.k))

    def bearing(
        self, query: Query, entries: Sequence[Entry], live: Live = everything, *, meant: bool = True
    ) -> list[Scored]:
        """Only entries likely enough to matter that they may be put before a model; often none.

        Of the kind that the question asks for, less is demanded of the best few, since silence would mislead. Without
        ``meant`` embeddings are not used: words alone decide.
        """
        kind, subject = asked_kind(query.text)

        def ask() -> list[Scored]:
            look = self.look(replace(query, text=subject or query.text), entries)
            unasked = relevant(look, self.found(look, live, meant=meant), self._weights)
            asked = self._asked_for(look, kind, live) if subject else []
            shown = {one.entry.id for one in unasked}
            return [*unasked, *(one for one in asked if one.entry.id not in shown)]

        return self._rebuilt_if_damaged(ask)

    def _asked_for(self, look: SlotSignals, kind: str, live: Live) -> list[Scored]:
        """The best few entries of a kind, if they may be meant."""
        found = self.found(look, lambda entry: entry.kind == kind and live(entry))
        likely = zip(found[:ASKED_MOST], relevance_odds(look, found, self._weights), strict=False)
        return [one for one, odds in likely if odds >= ASKED]

    def __call__(self, task: Task, entries: Sequence[Entry], live: Live = everything) -> list[tuple[Entry, float]]:
        """Entries and scores worth injecting for a task of the user's."""
        query = Query(text=task.words, files=tuple(dict.fromkeys((*task.files, *task.named))))
        return [(one.entry, one.score) for one in self.bearing(query, entries, live, meant=not task.is_preview)]

    def _rebuilt_if_damaged(self, ask: Callable[[], list[Scored]]) -> list[Scored]:
        """The answer, from rebuilt postings if those on disk turn out to be damaged."""
        with self._lock:
            try:
                return ask()
            except (Damaged, ValueError, LookupError):
                if not self._postings.spoil():
                    raise
                self._postings = Postings(None, self._weights.common)
                return ask()

    def look(self, query: Query, entries: Sequence[Entry]) -> SlotSignals:
        """The signals of all entries for the query."""
        self._postings.sync(entries)
        return SlotSignals(self._postings, read_question(query), query.as_of)

    def found(self, look: SlotSignals, live: Live, most: int = 0, *, meant: bool = True) -> list[Scored]:
        """The permitted candidates, ``most`` or more, best first; among equal scores the newest first."""
        postings, counting = self._postings, self._weights.counting(look.question)
        vectors = candidates(look, lambda slot: live(postings.entries[slot]), counting, most)
        found = [(-score(vector, counting), -postings.order[slot], slot, vector) for slot, vector in vectors.items()]
        found.sort(key=lambda row: row[:2])
        scored = [Scored(postings.entries[slot], -less, slot, vector) for less, _, slot, vector in found]
        return self._reordered_by_meaning(look, scored) if self._similar and meant and scored else scored

    def _reordered_by_meaning(self, look: SlotSignals, found: list[Scored]) -> list[Scored]:
        """The best candidates reordered by words and embeddings together."""
        assert self._similar is not None
        best, rest = found[:MEANT], found[MEANT:]
        try:
            texts = [wording(one.entry)[:MOST_MEANT] for one in best]
            cosines = self._similar(texts, look.question.text[:MOST_MEANT])
        except CtxeError:
            return found
        mean = sum(cosines) / len(cosines)
        both = (
            replace(one, score=one.score + MEANING * (cosine - mean)) for one, cosine in zip(best, cosines, strict=True)
        )
        return sorted([*both, *rest], key=lambda one: -one.score)
