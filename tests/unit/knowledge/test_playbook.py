"""The playbook: cited entries are credited by the outcome, misleading ones archived, and no text is ever lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from ctxe.domain.errors import StoreError
from ctxe.domain.section import Task
from ctxe.knowledge.entries.entry import Entry
from ctxe.knowledge.memory import Memory
from ctxe.knowledge.upkeep import playbook, review
from tests.unit.knowledge.stores import NOON, counters_in, store_in


def test_only_ids_that_were_shown_are_cited() -> None:
    said = 'As [0008-91bc] says, not 10008-91bc; {"text": "0007-3fa2"} and pep-81.'
    assert playbook.cited_ids(said, ["0007-3fa2", "0008-91bc", "0009-aaaa", "pep-8", "0008-91bc"]) == (
        "0007-3fa2",
        "0008-91bc",
    )


def test_helpful_entries_come_first_and_misleading_ones_last() -> None:
    entries = [Entry(name, "routine", name, created=f"2026-11-{n:02}") for n, name in enumerate("abcd", 1)]
    numbers = {"a": {"helpful": 3.0}, "b": {"harmful": 2.0}, "c": {"helpful": 1.0, "harmful": 1.0}}
    assert [entry.id for entry in playbook.sorted_by_use(entries, numbers)] == ["a", "c", "d", "b"]
    found = [(entries[1], 5.0), (entries[3], 4.6), (entries[0], 4.5)]
    assert [entry.id for entry, _ in playbook.weighed_by_use(found, numbers)] == ["a", "d", "b"]


def test_routines_are_ordered_by_expected_use(tmp_path: Path) -> None:
    store, counters = store_in(tmp_path), counters_in(tmp_path)
    one = store.add(Entry("", "routine", "Tests: `pytest -q`"))
    two = store.add(Entry("", "preference", "Tabs in Makefiles", text="Everywhere else four spaces."))
    store.add(Entry("", "preference", "Only in the web folder", scope=("web/**",)))
    store.add(Entry("", "routine", "Not yet", status="proposed"))
    playbook.credit(counters, [two.id], NOON, helped=True)
    memory = Memory(store, lambda text: len(text.split()), tmp_path, tmp_path, counters=counters)
    (section,) = memory.offer(Task(), 2500)
    assert [chunk.text for chunk in section.chunks] == [
        '<memory from=".ctxe/playbook">\nhow things are done here:\n'
        f"- {two.id} Tabs in Makefiles: Everywhere else four spaces.\n- {one.id} Tests: `pytest -q`\n</memory>"
    ]


def test_three_contradictions_archive_an_entry_and_a_restored_one_starts_over(tmp_path: Path) -> None:
    store, counters = store_in(tmp_path), counters_in(tmp_path)
    bad = store.add(Entry("", "routine", "Restart twice", text="It helps."))
    good = store.add(Entry("", "routine", "Run the tests"))
    rule = store.add(Entry("", "decision", "Use JSONL"))
    ids = [bad.id, good.id, rule.id]
    playbook.credit(counters, [good.id] * 4, NOON, helped=True)
    for _ in range(2):
        playbook.credit(counters, ids, NOON, helped=False)
        assert playbook.retire(store, counters, ids) == ()
    playbook.credit(counters, ids, NOON, helped=False)
    (gone,) = playbook.retire(store, counters, ids)
    assert (gone.id, gone.status, gone.text) == (bad.id, "archived", "It helps.")
    assert [entry.id for entry in playbook.standing_entries(store.entries(), {})] == [good.id]
    store.change(bad.id, status="current")
    playbook.credit(counters, [bad.id], NOON, helped=False)
    assert playbook.retire(store, counters, [bad.id]) == ()


def test_near_duplicates_are_merged_and_no_word_is_lost(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    one = store.add(Entry("", "fact", "The API listens on port 8080", text="Behind nginx.", files=("a.py",)))
    two = store.add(Entry("", "fact", "The API listens on port 8080, behind nginx", text="See ops."))
    store.add(Entry("", "fact", "The API listens on port 8080", text="Behind nginx.", scope=("old/**",)))
    store.add(Entry("", "routine", "The API listens on port 8080", text="Behind nginx."))
    assert playbook.near_duplicates(store.entries()) == [(one, two)]
    joined = playbook.merge_entries(store, one.id, two.id)
    assert (joined.text, joined.files, joined.supersedes) == (
        f"See ops.\n\nBehind nginx.\n\n({one.id}, user, 2026-11-21)",
        ("a.py",),
        (one.id,),
    )
    part = store.add(Entry("", "fact", "The API listens"))
    assert playbook.merge_entries(store, part.id, two.id).text == joined.text
    assert store.get(one.id).status == "superseded"
    assert store.get(one.id).text == "Behind nginx."
    assert playbook.near_duplicates(store.entries()) == []
    with pytest.raises(StoreError):
        playbook.merge_entries(store, "nope", two.id)
    assert review.pending_proposals(store) == ()
