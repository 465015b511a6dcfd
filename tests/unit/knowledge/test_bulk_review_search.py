"""Entries imported in bulk, proposals reviewed, queries answered by plain words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from ctxe.domain.errors import CtxeError, StoreError
from ctxe.knowledge.entries.entry import Entry
from ctxe.knowledge.entries.store import Store
from ctxe.knowledge.recall.query import Query, from_line, from_mapping
from ctxe.knowledge.recall.search import Search
from ctxe.knowledge.upkeep import review
from ctxe.knowledge.upkeep.bulk import as_lines, import_lines, import_rules
from ctxe.knowledge.upkeep.decisions import same_subject
from ctxe.knowledge.upkeep.playbook import merge_entries
from tests.unit.knowledge.stores import store_in


def lines(*rows: Mapping[str, object]) -> list[bytes]:
    return [json.dumps(row).encode() for row in rows]


def test_one_undo_takes_back_a_whole_import(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    kept = store.add(Entry("", title="Mine"))
    import_lines(store, lines({"id": "a", "text": "x"}, {"id": "b", "kind": "log", "text": "y"}), "bulk")
    assert {entry.id for entry in store.entries()} == {kept.id, "a", "b"}
    assert store.undo() == "import 2 entries from bulk"
    assert store.entries() == (kept,)


def test_replacing_an_entry_keeps_text_added_to_its_file_by_hand(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    import_lines(store, lines({"id": "a", "kind": "decision", "title": "One", "text": "x", "ts": 1}), "bulk")
    path = tmp_path / ".ctxe" / store.get("a").path
    path.write_bytes(path.read_bytes().replace(b"title: One", b"reviewer: ada\ntitle: One"))
    import_lines(store, lines({"id": "a", "kind": "decision", "title": "Two", "text": "y", "ts": 2}), "bulk")
    entry = store.get("a")
    assert (entry.title, entry.text, entry.ts, entry.extra) == ("Two", "y", "2", {"reviewer": "ada"})


def test_imported_ids_of_any_shape_get_separate_files(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    odd = ["../../etc/passwd", "a/b", "A/B", "a b", "a-b", "日本", "x" * 500, "0001-abcd", ".hidden", "con\n"]
    import_lines(store, lines(*({"id": name, "title": "same", "kind": "failure"} for name in odd)), "bulk")
    assert sorted(entry.id for entry in store.entries()) == sorted(odd)
    assert [path.parent.name for path in tmp_path.rglob("*.md")] == ["failures"] * len(odd)
    assert store_in(tmp_path).entries() == store.entries()


def test_secrets_are_masked_on_import(tmp_path: Path) -> None:
    store = Store(
        tmp_path / ".ctxe", tmp_path / ".ctxe" / "cache", mask=lambda text: text.replace("hunter2", "‹secret›")
    )
    import_lines(store, lines({"id": "a", "text": "is hunter2"}, {"id": "b", "kind": "log", "text": "hunter2"}), "bulk")
    assert [entry.text for entry in store.entries()] == ["is ‹secret›", "‹secret›"]


def test_exported_entries_can_be_imported_again(tmp_path: Path) -> None:
    one, two = store_in(tmp_path / "one"), store_in(tmp_path / "two")
    one.add(Entry("", "decision", "Use X", text="because\n\nmore", files=("a.py",), scope=("src/**",)))
    one.supersede("1", Entry("", "decision", "Use Y"))
    one.add(Entry("", "failure", "boom", signature="ab" * 16, fix="no boom", status="resolved"))
    import_lines(two, as_lines(one.entries()).encode().splitlines(), "copy")
    import_lines(two, lines({"id": "theirs", "text": "x", "ts": 5}), "more")
    three = store_in(tmp_path / "three")
    import_lines(three, as_lines(two.entries()).encode().splitlines(), "copy")
    told = [[replace(entry, path="") for entry in store.entries()] for store in (one, two, three)]
    assert [entry.ts for entry in told[1]] == ["5", "", "", ""]
    assert told[1][1:] == told[0]
    assert told[2] == told[1]


def test_rule_files_become_preferences_by_heading(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    text = b"Intro words.\n\n# Names\n\n```sh\n# no heading\n```\n\n## Empty\n\n# Names\n\nAgain.\n"
    assert import_rules(store, text, "CONVENTIONS.md").imported == 3
    assert {(entry.title, entry.text) for entry in store.entries()} == {
        ("CONVENTIONS.md", "Intro words."),
        ("Names", "```sh\n# no heading\n```"),
        ("Names", "Again."),
    }


def test_the_scope_of_an_imported_rule_is_read_as_that_of_the_rule_itself(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    import_rules(store, b"---\nglobs: src/**/*.{ts,tsx}, 'docs/*.md'\n---\nUse tabs.\n", "tabs.mdc")
    assert store.entries()[0].scope == ("src/**/*.{ts,tsx}", "docs/*.md")


def test_a_proposal_is_accepted_merged_or_rejected(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    held = store.add(Entry("", "fact", "Port", text="It is 8080."))
    proposal = Entry("", "fact", "Port", "proposed", by="model (proposed)", text="Behind nginx.", files=("a.py",))
    one, two, three = store.add(proposal), store.add(proposal), store.add(proposal)
    assert review.pending_proposals(store) == (one, two, three)
    assert same_subject(one, store.entries()) == (held,)
    merged = review.merge(store, one.id, held.id)
    assert (merged.text, merged.files) == ("It is 8080.\n\nBehind nginx. (model (proposed), 2026-11-21)", ("a.py",))
    accepted = review.accept(store, two.id, (held.id,))
    assert (accepted.status, accepted.by, accepted.supersedes) == ("current", "model (approved)", (held.id,))
    assert review.reject(store, three.id) == three
    assert review.pending_proposals(store) == ()
    assert {entry.id: entry.status for entry in store.entries()} == {held.id: "superseded", two.id: "current"}
    failure = store.add(Entry("", "failure", "boom", "proposed", signature="ab" * 16))
    assert (review.accept(store, failure.id).status, store.get(failure.id).path[:9]) == ("open", "failures/")
    with pytest.raises(StoreError):
        review.accept(store, "nope")


def test_one_undo_takes_back_both_changes_of_a_merged_proposal(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    rows = ({"id": name, "kind": "fact", "title": name, "text": f"{name} says something"} for name in ("x", "y"))
    import_lines(store, lines(*rows), "rows.jsonl")
    held = store.add(Entry("", "fact", "Port", text="It is 8080."))
    proposal = store.add(Entry("", "fact", "Port", "proposed", text="Behind nginx."))
    was = store.entries()
    for merged, one, other in (
        (review.merge, proposal.id, held.id),
        (merge_entries, held.id, "x"),
        (merge_entries, "x", "y"),
    ):
        made = merged(store, one, other)
        assert store.get(other).text == made.text != next(entry.text for entry in was if entry.id == other)
        assert one not in {entry.id for entry in store.entries() if entry.status in ("current", "proposed")}
        store.undo()
        assert store.entries() == was
    with pytest.raises(StoreError, match="cannot be part of itself"):
        merge_entries(store, held.id, held.id)
    assert store.entries() == was


ENTRIES = (
    Entry("a", "decision", "Store sessions in Postgres", text="tables", ts="10"),
    Entry("b", "decision", "Store sessions as JSONL", text="lines", ts="20", supersedes=("a",)),
    Entry("c", "fact", "Trams in Lisbon", files=("lisbon.py",), ts="30"),
    Entry("p", "fact", "Sessions proposed", status="proposed", ts="5"),
)


def found(query: Query) -> list[str]:
    return [result.id for result in Search(ENTRIES, lambda text: len(text.split())).search(query).results]


def test_search_follows_links_hides_and_bounds() -> None:
    assert found(Query("sessions in Postgres tables")) == ["b"]
    assert found(Query("sessions in Postgres tables", as_of=20)) == ["a"]
    assert found(Query("sessions stored", exclude=frozenset("b"))) == []
    assert found(Query(files=("lisbon.py",))) == ["c"]
    assert found(Query("sessions stored trams", k=1)) == ["b"]
    assert found(Query("sessions trams stored Lisbon", budget_tokens=4)) == ["c"]
    assert found(Query("sessions trams", kind="fact")) == ["c"]
    nothing = Search(ENTRIES, len).search(Query("quantum glaciers", inject=True))
    assert (nothing.results, nothing.abstained) == ((), True)


def test_invalid_questions_are_refused_with_a_message() -> None:
    row = {"qid": 1, "text": "x", "files": ["a"], "k": 3, "as_of": 5, "exclude": ["b", 7], "inject": True}
    line = json.dumps({**row, "budget_tokens": 9})
    assert from_line(line) == Query("x", ("a",), 3, "", 5.0, frozenset({"b", "7"}), True, 9, qid=1)
    assert from_line('{"text": "x", "k": "many", "files": "a", "kind": "log"}', "failure") == Query(
        "x", ("a",), kind="failure"
    )
    for bad in ("", "[]", "{}", '{"text": 5}', "{" * 100_000):
        with pytest.raises(CtxeError, match="not a question"):
            from_line(bad)
    with pytest.raises(ValueError, match="neither text"):
        from_mapping({})


def test_rejecting_a_proposal_restores_no_entry(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    old = store.add(Entry("", "decision", "Old", "superseded"))
    proposal = store.add(Entry("", "decision", "New", "proposed", supersedes=(old.id,)))
    review.reject(store, proposal.id)
    assert store.get(old.id).status == "superseded"


def test_importing_exported_daily_lines_leaves_the_daily_log_unchanged(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    store.log("- 10:00 [s] one")
    given_out = as_lines(store.entries()).encode().split(b"\n")
    day = store.log("- 11:00 [s] two")
    before = day.read_bytes()
    assert import_lines(store, given_out, "back").imported == 1
    assert (day.read_bytes(), [entry.text for entry in store.entries()]) == (before, ["one", "two"])


def test_an_entry_with_the_id_of_a_daily_line_does_not_hide_the_daily_log(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    day = store.log("- 10:00 [s] one")
    [line] = store.entries()
    import_lines(store, lines({"id": line.id, "kind": "fact", "title": "Mine"}), "bulk")
    assert day.exists()
    assert {entry.kind for entry in store.entries()} == {"log", "fact"}


def test_times_out_of_range_are_ignored(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    endless = b"1" + b"0" * 400
    import_lines(store, [b'{"id":"a","kind":"log","title":"A","ts":%s}' % endless], "bulk")
    assert [(entry.id, entry.ts) for entry in store.entries()] == [("a", "")]
    (tmp_path / ".ctxe" / "memory" / "log" / "bulk.jsonl").write_bytes(b'{"id":"b","ts":%s}\n' % endless)
    assert [(entry.id, entry.ts) for entry in store_in(tmp_path).entries()] == [("b", "")]
    assert from_line(b'{"text":"x","as_of":%s}' % endless) == Query("x")
