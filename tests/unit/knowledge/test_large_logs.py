"""Large files of the memory folder: read whole up to the size limit, refused beyond it, never cut."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from ctxe.domain.errors import StoreError
from ctxe.knowledge.entries.outside_changes import note_changes
from ctxe.knowledge.entries.store import Store
from ctxe.knowledge.upkeep.bulk import import_lines
from ctxe.storage.files import MOST_BYTES


def store_in(folder: Path) -> Store:
    return Store(folder / ".ctxe", folder / ".ctxe" / "cache")


def rows(number: int, size: int) -> list[bytes]:
    return [json.dumps({"id": f"D{n}", "kind": "log", "text": "x" * size, "ts": n}).encode() for n in range(number)]


def test_a_long_imported_log_is_read_whole_and_can_be_undone(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    note_changes(store)
    import_lines(store, rows(100, 90_000), "long")
    assert len(store.entries()) == len(store_in(tmp_path).entries()) == 100
    assert note_changes(store_in(tmp_path)) == ""
    assert store.undo() == "import 100 entries from long"
    assert store.entries() == ()


def test_a_log_too_large_to_rewrite_is_read_in_part_and_not_changed(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    import_lines(store, rows(2, 10), "log")
    path = tmp_path / ".ctxe" / "memory" / "log" / "log.jsonl"
    os.truncate(path, MOST_BYTES + 1)
    assert [entry.id for entry in store.entries()] == ["D0", "D1"]
    says = [problem.says for problem in store.snapshot().problems]
    assert says == [f"only its first {MOST_BYTES:,} bytes are read"]
    for change in (lambda: store.change("D0", text="y"), lambda: store.forget("D0"), lambda: _again(store)):
        with pytest.raises(StoreError, match=r"log\.jsonl has more than 64,000,000 bytes"):
            change()
    assert path.stat().st_size == MOST_BYTES + 1


def _again(store: Store) -> None:
    import_lines(store, rows(1, 20), "log")
