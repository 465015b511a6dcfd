"""A small tree of source files under git."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.repositories import git
from tests.unit.repo.indexing.opened import CUP, POT


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "tree"
    (root / "tea").mkdir(parents=True)
    (root / "tea" / "pot.py").write_text(POT)
    (root / "tea" / "cup.py").write_text(CUP)
    (root / "logo.png").write_bytes(b"\x89PNG\0")
    git(root, "init", "-q")
    git(root, "add", ".")
    git(root, "commit", "-qm", "Pour the tea\n\nInto cups.")
    return root
