"""What holds for answers of recall: filters crowd nothing out, changed scopes count, and what fits is returned."""

from __future__ import annotations

from dataclasses import replace

from ctxe.knowledge.entries.entry import Entry
from ctxe.knowledge.recall.query import Query, Result, from_mapping
from ctxe.knowledge.recall.ranker import Ranker
from ctxe.knowledge.recall.search import Search
from tests.unit.knowledge.entries_to_rank import answers, facts


def test_an_entry_is_found_behind_hundreds_that_are_filtered_out() -> None:
    loud = [Entry(f"f{n}", "fact", "Retry the socket", text="retry socket timeout") for n in range(300)]
    quiet = Entry("q", "fact", "Notes on many things", text="among them the socket, and much else of other subjects")
    found = Ranker().ranked(Query("retry the socket timeout"), [*loud, quiet], lambda entry: entry.id == "q")
    assert [one.entry.id for one in found] == ["q"]


def test_a_scope_that_changed_is_read_again() -> None:
    ranker, entry = Ranker(), Entry("s", "fact", "Careful", scope=("docs/**",), path="memory/s.md")
    asked = Query(files=("src/api/users.py",))
    assert ranker.ranked(asked, [entry]) == []
    assert [one.entry.id for one in ranker.ranked(asked, [replace(entry, scope=("src/api/**",))])] == ["s"]


def test_a_smaller_result_is_returned_after_one_that_does_not_fit() -> None:
    entries = [
        Entry("long", "fact", "Retry the socket on timeout", text="retry socket timeout " * 30),
        Entry("short", "fact", "Socket", text="retry it"),
    ]
    search = Search(entries, lambda text: len(text.split()))
    everything = [result.id for result in search.search(Query("retry the socket on timeout")).results]
    assert everything == ["long", "short"]
    fitting = search.search(Query("retry the socket on timeout", budget_tokens=10)).results
    assert [(result.id, result.tokens) for result in fitting] == [("short", 3)]


OLD = Entry("old", "decision", "Sessions in Postgres", text="tables", ts="10", path="a")
NEW = Entry("new", "fact", "Lines of JSON", text="sessions", ts="20", supersedes=("old",), path="b")


def found(*entries: Entry, query: Query) -> list[str]:
    return [result.id for result in Search(entries, len).search(query).results]


def test_recall_by_kind_uses_the_kind_of_the_current_entry() -> None:
    assert found(OLD, NEW, query=Query("postgres tables", kind="fact")) == ["new"]
    assert found(OLD, NEW, query=Query("postgres tables", kind="decision")) == []


def test_retired_and_proposed_entries_are_not_shown() -> None:
    for status in ("archived", "superseded", "proposed"):
        assert found(replace(OLD, status=status), query=Query("postgres tables")) == []
    for status in ("stale", "resolved", "current"):
        assert found(replace(OLD, status=status), query=Query("postgres tables")) == ["old"]


def test_a_replacement_takes_the_better_score_of_itself_and_the_replaced_entry() -> None:
    result = Search((OLD, NEW), len).search(Query("postgres tables sessions")).results
    scores = {one.entry.id: one.score for one in Ranker().ranked(Query("postgres tables sessions"), [OLD, NEW])}
    assert scores["old"] > scores["new"]
    assert [(one.id, one.score) for one in result] == [("new", scores["old"])]


def test_only_an_inject_query_reports_abstention() -> None:
    search = Search((OLD,), len)
    assert [search.search(Query("quantum", inject=inject)).abstained for inject in (False, True)] == [False, True]


def test_a_budget_bounds_all_results_together() -> None:
    entries = [Entry(f"f{n}", text="retry the socket", path=f"{n}") for n in range(4)]
    search = Search(entries, lambda text: len(text.split()))
    for budget, shown in ((2, 0), (3, 1), (5, 1), (6, 2), (100, 4), (0, 4)):
        assert len(search.search(Query("retry socket", budget_tokens=budget)).results) == shown, budget


def test_a_removed_entry_no_longer_affects_recall() -> None:
    ranker, entries = Ranker(), facts()
    assert answers(ranker, entries) == answers(Ranker(), entries)
    left = [entry for entry in entries if entry.id != "f13"]
    assert answers(ranker, left) == answers(Ranker(), left) != answers(Ranker(), entries)
    assert answers(ranker, entries) == answers(Ranker(), entries)


def test_two_files_with_one_id_are_two_entries() -> None:
    both = [replace(OLD, path="a", text="tables"), replace(OLD, path="b", text="postgres")]
    assert [one.entry.path for one in Ranker().ranked(Query("postgres"), both)] == ["b", "a"]
    assert Ranker().ranked(Query("postgres"), [both[0], replace(both[0])])[0].entry.path == "a"
    assert len(Ranker().ranked(Query("postgres"), [both[0], replace(both[0])])) == 1


def test_fields_of_the_wrong_type_in_a_query_count_as_missing() -> None:
    assert from_mapping({"text": "x", "k": True, "inject": "yes", "budget_tokens": True, "as_of": True}) == Query("x")
    assert from_mapping({"error": "boom", "k": 0}) == Query(error="boom")
    assert from_mapping({"command": "make", "k": -1, "as_of": 10**999}) == Query(command="make")


def test_scores_are_rounded_to_six_places() -> None:
    assert Result("a", 2 / 3, 5, "fact", "A").as_json() == {
        "id": "a", "score": 0.666667, "tokens": 5, "current": True, "superseded_by": None, "kind": "fact", "title": "A"
    }  # fmt: skip
