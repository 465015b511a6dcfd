"""Opens indexes of a small tree and asks them, for tests of the index."""

from __future__ import annotations

import os
from pathlib import Path

from ctxe.repo.git import Git
from ctxe.repo.indexing.index import Index, Refreshed

POT = "from .cup import fill\n\n\nclass Pot:\n    def pour(self):\n        return fill(self)\n"
CUP = "def fill(pot):\n    return pot\n"


def opened(tree: Path, name: str = "index.db", workers: int = 1) -> Index:
    return Index(tree, Git(tree, os.environ), tree.parent / name, workers)


def counted(done: Refreshed) -> tuple[int, int, int]:
    return done.scanned, done.removed, done.total


def having(index: Index, term: str) -> set[str]:
    heads, _ = index.postings([term]).get(term, ([], []))
    return {index.files[number].path for number in heads[::2]}


def edges(index: Index) -> dict[str, set[str]]:
    """What each file imports."""
    ahead = {path: index.neighbours(number)[0] for path, number in index.files.by_path.items()}
    return {path: {index.files[other].path for other in found} for path, found in ahead.items() if found}
