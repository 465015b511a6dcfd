"""Entries that the model proposes are kept once, however often it asks."""

from __future__ import annotations

from pathlib import Path

from ctxe.project import Project
from ctxe.project.memory.writer import memory_writer


def test_an_entry_known_word_for_word_is_not_added_again(tmp_path: Path) -> None:
    keeps = memory_writer(Project.open(tmp_path, {"HOME": str(tmp_path / "home")}), "s", approved=True)
    told = keeps.remember("fact", "Ports", "The API listens on 8080.", ["api.py"], "")
    (entry,) = keeps.store.entries()
    assert told == f"saved as {entry.id} in {entry.path}"
    assert keeps.remember("fact", "Ports", "The API listens on 8080.", ["api.py"], "") == f"known already as {entry.id}"
    assert list(keeps.take_new()) == [entry]
    assert "about the same" in keeps.remember("fact", "Ports", "The API listens on 9090.", ["api.py"], "")
    assert len(keeps.store.entries()) == 2
