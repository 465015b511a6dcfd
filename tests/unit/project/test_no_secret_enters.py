"""No field of a memory entry holds a secret: it is refused in written entries and masked in imported ones."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ctxe.domain.errors import StoreError
from ctxe.knowledge.entries.entry import Entry
from ctxe.knowledge.entries.store import Store
from ctxe.project.secret_guards import check, secret_masker, text_cleaner

KEY = "ghp_" + "a1B2" * 9
WORDS = ("title", "text", "command", "error", "tried", "outcome", "fix", "call", "by", "session")
LISTS = ("scope", "files", "evidence")


def store(folder: Path) -> Store:
    base = folder / ".ctxe"
    return Store(base, base / "cache", lambda: 1_795_262_400.0, check=check(()), mask=secret_masker(()))


@pytest.mark.parametrize("field", [*WORDS, *LISTS])
def test_a_secret_is_refused_or_masked_in_every_field(tmp_path: Path, field: str) -> None:
    held: dict[str, Any] = {field: (f"see {KEY}",) if field in LISTS else f"see {KEY}"}
    draft = replace(Entry("", "fact", "a title", text="words"), **held)
    with pytest.raises(StoreError, match="GitHub token"):
        store(tmp_path).add(draft)
    assert KEY not in repr(store(tmp_path).masked(draft))
    assert not list((tmp_path / ".ctxe").rglob("*.md"))


def test_colours_in_a_key_or_a_file_name_hide_neither_from_the_guard() -> None:
    clean = text_cleaner(())
    assert KEY[:12] not in clean(f"{KEY[:9]}\x1b[01;31m\x1b[K{KEY[9:12]}\x1b[m\x1b[K{KEY[12:]}")
    assert "canary" not in clean("\x1b[35m.env\x1b[m\x1b[36m:\x1b[mcanary\n\x1b[35m.env\x1b[m\x1b[36m-\x1b[mcanary")
    assert clean("\x1b[31mred\x1b[m") == "\x1b[31mred\x1b[m", "what hides nothing stays as it is"
