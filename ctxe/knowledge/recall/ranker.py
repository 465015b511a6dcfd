"""Which entries answer a question, best first, and which of them are worth saying unasked."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from ctxe.domain.errors import CtxeError
from ctxe.domain.section import Task
from ctxe.domain.value import replace
from ctxe.knowledge.entries.entry import Entry
from ctxe.knowledge.recall.kept import Damaged
from ctxe.knowledge.recall.postings import Postings
from ctxe.knowledge.recall.propose import candidates
from ctxe.knowledge.recall.query import Query
from ctxe.knowledge.recall.reading import ask, wording
from ctxe.knowledge.recall.signals import SlotSignals
from ctxe.knowledge.recall.weights import Weights, fitted, score
from ctxe.knowledge.recall.worth import Scored, told

Live = Callable[[Entry], bool]
"""Which entries may be found at all."""
Similar = Callable[[Sequence[str], str], list[float]]
"""The cosine of each text to a query, by a model of meaning. Raises CtxeError when it cannot be asked."""
MEANT = 40
"""Best candidates whose meaning is compared."""
MEANING = 8.0
"""What a difference of 1 between two cosines counts in a score: not fitted, no model of meaning ships."""
MOST_MEANT = 2_000
"""Characters of an entry or a question whose meaning is taken."""


def everything(_entry: Entry) -> bool:
    """No entry is kept back."""
    return True


class Ranker:
    """Answers about the entries it is given, reading each only once. ``cache`` (a folder) keeps that for later runs.

    The answers are the same whatever was asked before, by which thread, and whether anything was kept. With ``similar``
    the meaning of the best candidates is weighed as well; where that cannot be asked, words decide alone.
    """

    def __init__(
        self, cache: Path | None = None, weights: Weights | None = None, similar: Similar | None = None
    ) -> None:
        """Nothing is read yet."""
        self._weights = weights or fitted()
        self._similar = similar
        self._postings = Postings(cache, self._weights.common)
        # A session looks ahead in a thread of its own: what one question is asked of must not change under another.
        self._using = threading.RLock()

    def ranked(self, query: Query, entries: Sequence[Entry], live: Live = everything) -> list[Scored]:
        """Entries that share something with the question, best first. ``entries``: all there are, in causal order."""
        return self._sound(lambda: self.found(self.look(query, entries), live, query.k))

    def bearing(
        self, query: Query, entries: Sequence[Entry], live: Live = everything, *, meant: bool = True
    ) -> list[Scored]:
        """Only what likely bears on the question, so that it may be said unasked; often nothing.

        What is not ``meant`` is judged by its words alone, and nobody is asked.
        """

        def ask() -> list[Scored]:
            look = self.look(query, entries)
            return told(look, self.found(look, live, meant=meant), self._weights)

        return self._sound(ask)

    def __call__(self, task: Task, entries: Sequence[Entry], live: Live = everything) -> list[tuple[Entry, float]]:
        """The same for a task of the user."""
        asked = Query(text=task.words, files=tuple(dict.fromkeys((*task.files, *task.named))))
        return [(one.entry, one.score) for one in self.bearing(asked, entries, live, meant=not task.ahead)]

    def _sound(self, ask: Callable[[], list[Scored]]) -> list[Scored]:
        """The answer of postings that make sense: from a file that does not, every entry is read again."""
        with self._using:
            try:
                return ask()
            except (Damaged, ValueError, LookupError):
                if not self._postings.spoil():
                    raise
                self._postings = Postings(None, self._weights.common)
                return ask()

    def look(self, query: Query, entries: Sequence[Entry]) -> SlotSignals:
        """The question beside everything there is."""
        self._postings.sync(entries)
        return SlotSignals(self._postings, ask(query), query.as_of)

    def found(self, look: SlotSignals, live: Live, most: int = 0, *, meant: bool = True) -> list[Scored]:
        """The candidates of a question that may be found, ``most`` or more, best first; of equals the newest."""
        postings, counting = self._postings, self._weights.counting(look.question)
        vectors = candidates(look, lambda slot: live(postings.entries[slot]), counting, most)
        found = [(-score(vector, counting), -postings.order[slot], slot, vector) for slot, vector in vectors.items()]
        found.sort(key=lambda row: row[:2])
        scored = [Scored(postings.entries[slot], -less, slot, vector) for less, _, slot, vector in found]
        return self._meant(look, scored) if self._similar and meant and scored else scored

    def _meant(self, look: SlotSignals, found: list[Scored]) -> list[Scored]:
        """The best candidates again, in the order of words and meaning together."""
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
