"""A secret enters the memory in no field of an entry: refused where somebody writes it, masked in what is imported."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ctxe.domain.errors import StoreError
from ctxe.knowledge.entries.entry import Entry
from ctxe.knowledge.entries.store import Store
from ctxe.project.secret_guards import check, secret_masker

KEY = "ghp_" + "a1B2" * 9
WORDS = ("title", "text", "command", "error", "tried", "outcome", "fix", "call", "by", "session")
LISTS = ("scope", "files", "evidence")


def store(folder: Path) -> Store:
    base = folder / ".ctxe"
    return Store(base, base / "cache", lambda: 1_795_262_400.0, check=check(()), mask=secret_masker(()))


@pytest.mark.parametrize("field", [*WORDS, *LISTS])
def test_every_field_is_looked_at(tmp_path: Path, field: str) -> None:
    held: dict[str, Any] = {field: (f"see {KEY}",) if field in LISTS else f"see {KEY}"}
    draft = replace(Entry("", "fact", "a title", text="words"), **held)
    with pytest.raises(StoreError, match="GitHub token"):
        store(tmp_path).add(draft)
    assert KEY not in repr(store(tmp_path).masked(draft))
    assert not list((tmp_path / ".ctxe").rglob("*.md"))
