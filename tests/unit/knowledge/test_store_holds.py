"""What holds in the memory folder: what replaces what, what can be undone, in which order, and what is written."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ctxe.domain.errors import StoreError
from ctxe.knowledge.entries.entry import Entry
from ctxe.knowledge.entries.journal import STEPS
from ctxe.knowledge.entries.outside_changes import OutsideChange, note_changes, outside_changes
from ctxe.knowledge.upkeep.bulk import import_lines
from tests.unit.knowledge.stores import NOON, store_in


def decision(title: str) -> Entry:
    return Entry("", "decision", title)


@pytest.mark.parametrize("status", ["current", "stale", "open"])
def test_a_replaced_entry_is_superseded_whatever_its_status(tmp_path: Path, status: str) -> None:
    store = store_in(tmp_path)
    old = store.add(Entry("", "failure" if status == "open" else "decision", "Old", status, signature="ab" * 16))
    store.supersede(old.id, decision("New"))
    assert b"status: superseded" in (tmp_path / ".ctxe" / old.path).read_bytes()


def test_an_entry_replaced_by_two_stays_superseded_while_one_of_them_is_current(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    old = store.add(decision("Old"))
    one, two = store.supersede(old.id, decision("One")), store.supersede(old.id, decision("Two"))
    store.forget(one.id)
    assert store.get(old.id).status == "superseded"
    store.forget(two.id)
    assert store.get(old.id).status == "current"


def test_the_newest_writes_can_be_undone(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    entries = [store.add(decision(f"Number {n}")) for n in range(STEPS + 3)]
    assert [store.undo() for _ in range(STEPS)] == [f"add decision {entry.id}" for entry in reversed(entries[3:])]
    with pytest.raises(StoreError, match="nothing to take back"):
        store.undo()


def test_imports_are_ordered_by_their_times_and_not_by_their_names(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    ours = store.add(decision("Ours"))
    import_lines(store, [b'{"id":"0009-aaaa","text":"a","ts":1}', b'{"id":"0005-bbbb","text":"b","ts":2}'], "theirs")
    assert [entry.id for entry in store.entries()] == ["0009-aaaa", "0005-bbbb", ours.id]


def test_no_log_is_written_through_a_link(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    import_lines(store, [b'{"id":"a","kind":"log","text":"x"}'], "log")
    path, other = tmp_path / ".ctxe/memory/log/log.jsonl", tmp_path / "other.jsonl"
    path.rename(other)
    path.symlink_to(other)
    before = other.read_bytes()
    with pytest.raises(StoreError, match="leads out of the memory folder"):
        import_lines(store, [b'{"id":"b","kind":"log","text":"y"}'], "log")
    assert (other.read_bytes(), path.is_symlink()) == (before, True)


def test_the_cache_is_written_only_when_an_entry_changed(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    one = store.add(decision("One"))
    store.log("- 10:00 [s] lines of a day are read at every start")
    path = tmp_path / ".ctxe" / one.path
    os.utime(path, (NOON, NOON))
    store_in(tmp_path).entries()
    kept = (store.cache / "entries.json").stat().st_ino
    assert len(store_in(tmp_path).entries()) == 2
    assert (store.cache / "entries.json").stat().st_ino == kept
    path.unlink()
    assert len(store_in(tmp_path).entries()) == 1
    assert json.loads((store.cache / "entries.json").read_bytes())["files"] == {}


LOOKS = """
import sys
from pathlib import Path
from ctxe.knowledge.entries.outside_changes import note_changes
from ctxe.knowledge.entries.store import Store
folder = Path(sys.argv[1])
while not (folder / "enough").exists():
    note_changes(Store(folder / ".ctxe", folder / ".ctxe/cache"))
"""


def test_writes_of_another_session_are_not_reported_as_outside_changes(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    store.add(Entry("", "fact", "The first"))
    note_changes(store)
    looking = [subprocess.Popen([sys.executable, "-c", LOOKS, str(tmp_path)]) for _ in range(2)]
    told: list[OutsideChange] = []
    for number in range(60):
        store.add(Entry("", "fact", f"Fact {number}"))
        told += outside_changes(store)
    (tmp_path / "enough").touch()
    assert [one.wait(60) for one in looking] == [0, 0]
    assert (told, outside_changes(store)) == ([], ())
