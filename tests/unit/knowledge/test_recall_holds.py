"""What holds for answers: nothing allowed is crowded out, changed scopes count, and what fits is given."""

from __future__ import annotations

from dataclasses import replace

from ctxe.knowledge.entries.entry import Entry
from ctxe.knowledge.recall.query import Query
from ctxe.knowledge.recall.ranker import Ranker
from ctxe.knowledge.recall.search import Search


def test_an_entry_is_found_behind_hundreds_that_may_not_be() -> None:
    loud = [Entry(f"f{n}", "fact", "Retry the socket", text="retry socket timeout") for n in range(300)]
    quiet = Entry("q", "fact", "Notes on many things", text="among them the socket, and much else of other subjects")
    found = Ranker().ranked(Query("retry the socket timeout"), [*loud, quiet], lambda entry: entry.id == "q")
    assert [one.entry.id for one in found] == ["q"]


def test_a_scope_that_changed_is_read_again() -> None:
    ranker, entry = Ranker(), Entry("s", "fact", "Careful", scope=("docs/**",), path="memory/s.md")
    asked = Query(files=("src/api/users.py",))
    assert ranker.ranked(asked, [entry]) == []
    assert [one.entry.id for one in ranker.ranked(asked, [replace(entry, scope=("src/api/**",))])] == ["s"]


def test_what_still_fits_is_given_after_what_does_not() -> None:
    entries = [
        Entry("long", "fact", "Retry the socket on timeout", text="retry socket timeout " * 30),
        Entry("short", "fact", "Socket", text="retry it"),
    ]
    search = Search(entries, lambda text: len(text.split()))
    everything = [result.id for result in search.search(Query("retry the socket on timeout")).results]
    assert everything == ["long", "short"]
    fitting = search.search(Query("retry the socket on timeout", budget_tokens=10)).results
    assert [(result.id, result.tokens) for result in fitting] == [("short", 3)]
