"""The history of the indexed files: what past commits said, and which of today's files they changed."""

from __future__ import annotations

import sqlite3
from array import array
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cached_property

from ctxe.repo.indexing import history
from ctxe.repo.indexing.history import History


class IndexedHistory:
    """Past commits, numbered as in ``commits``, with the files they changed by their ids in the index."""

    def __init__(self, db: sqlite3.Connection, commits: History, by_path: Mapping[str, int]) -> None:
        self.commits = commits
        self._db, self._by_path = db, by_path

    def messages(self, terms: Iterable[str]) -> dict[str, array[int]]:
        """For every term that occurs in commit messages: (commit << 8 | times)."""
        return history.messages(self._db, terms)

    def named(self, names: Iterable[str]) -> dict[str, list[int]]:
        """For each abbreviated commit hash: the commits whose hashes begin with it."""
        return history.numbered(self._db, names)

    @cached_property
    def _ids(self) -> list[int]:
        """For every path of the history the id of the file at this path now, or -1."""
        return [self._by_path.get(path, -1) for path in self.commits.paths]

    def changed_in(self, commit: int) -> list[int]:
        """Ids of the files that a commit changed, without those that are gone."""
        ids = self._ids
        return [number for place in self.commits.files(commit) if (number := ids[place]) >= 0]

    def place_of(self, file: int) -> int | None:
        """A file's index in ``commits.paths``; None when no commit changed it."""
        return self._places.get(file)

    @cached_property
    def _places(self) -> dict[int, int]:
        return {number: place for place, number in enumerate(self._ids) if number >= 0}

    @cached_property
    def changes(self) -> dict[int, int]:
        """How many past commits changed each file."""
        ids = self._ids
        counts = Counter(self.commits.touched)
        return {ids[place]: times for place, times in counts.items() if ids[place] >= 0}
