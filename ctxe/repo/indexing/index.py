"""The index of a code base: brought up to date by what changed, resumable, shared by sessions, asked by the planner."""

from __future__ import annotations

import contextlib
import os
import time
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from itertools import compress
from pathlib import Path

from ctxe.domain.errors import StoreError
from ctxe.domain.value import dataclass
from ctxe.repo.files import Columns, ListedFile, list_columns, list_files, read_text, start_listing
from ctxe.repo.git import Git, finish
from ctxe.repo.indexing import database, file_table, history, linecount, store
from ctxe.repo.indexing.file_table import FileTable
from ctxe.repo.indexing.gc_pause import gc_paused
from ctxe.repo.indexing.statistics import Statistics, statistics
from ctxe.repo.indexing.store import Details, File, differs
from ctxe.storage.databases import owned

SEGMENT_FILES = 2000
"""Files whose postings are written at once, at least."""

Progress = Callable[[int, int], None]
"""Told (files done, files to do) while an index is built."""


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What an update did, in files, and how long it took in seconds."""

    scanned: int
    removed: int
    total: int
    seconds: float


class Index:
    """Files, postings and history of one tree. ``note`` says what is unusual about it, for people."""

    def __init__(self, root: Path, git: Git, path: Path | None, workers: int | None = None) -> None:
        self.root, self.git = root, git
        self.note = ""
        self.path = path
        self.segment_files = SEGMENT_FILES
        self._workers = min(os.cpu_count() or 1, 4) if workers is None else workers
        try:
            db = database.connect_memory() if path is None else database.connect(path)
        except StoreError as error:
            db, self.note = database.connect_memory(), f"{error.message}; the index is kept in memory only"
        self.db = owned(self, db)
        self.files: Mapping[int, File] = {}
        self.by_path: dict[str, int] = {}
        self.kinds: dict[int, str] = {}
        self._segments: dict[int, int] = {}
        self.history = history.History()
        self.statistics = Statistics(0, [])
        self._generation: object = None

    def close(self) -> None:
        """Let go of the database."""
        self.db.close()

    def renew(self) -> None:
        """Begin again with an empty file. Vectors stay where they can be read: they cost money. Raises StoreError."""
        if self.path is not None:
            self.db = owned(self, database.renewed(self.db, self.path))

    # -- bringing it up to date

    def refresh(self, progress: Progress | None = None, clock: Callable[[], float] = time.perf_counter) -> Refreshed:
        """Bring files and history up to date; what was done before an interruption is kept."""
        with gc_paused():
            return self._refresh(progress, clock)

    def _refresh(self, progress: Progress | None, clock: Callable[[], float]) -> Refreshed:
        started = clock()
        listing = start_listing(self.git)
        generation = self._written()
        try:
            held = file_table.read(self.db)
        except BaseException:
            finish(listing)  # nobody else waits for it
            raise
        begun = time.time_ns()
        listed = _told(list_columns(self.git, listing, held.paths))
        scanned = removed = 0
        if held.differs(listed) or self._unlinked():
            from ctxe.repo.indexing.update import Update  # with all that reads source; mostly nothing has changed

            def past() -> None:
                history.refresh(self.db, self.git)

            update = Update(self.db, self.root, self.path, self._workers, self.segment_files, begun, progress, past)
            known = {file.path: file for file in held.every()}
            scanned, removed = update(known, list(map(ListedFile, *listed)), generation)
            generation = self._written()
            held = file_table.kept(self.db)
        self._hold(held, history.refresh(self.db, self.git), generation)
        return Refreshed(scanned, removed, len(listed.paths), clock() - started)

    def _unlinked(self) -> bool:
        """Whether an interruption left imports unresolved."""
        return self.db.execute("SELECT 1 FROM unlinked LIMIT 1").fetchone() is not None

    def load(self) -> None:
        """Hold what was indexed last, whatever the tree looks like by now."""
        generation = self._written()
        self._hold(file_table.read(self.db), history.load(self.db), generation)

    @contextlib.contextmanager
    def settled(self) -> Iterator[None]:
        """All that is asked in the block is of one moment, whatever other sessions write meanwhile."""
        self.db.execute("BEGIN")
        try:
            if (self._written(), history.head_in(self.db)) != (self._generation, self.history.head):
                self.load()
            yield
        finally:
            if self.db.in_transaction:
                self.db.execute("ROLLBACK")

    def _written(self) -> object:
        """Rises with everything that is written of files."""
        return database.meta(self.db, "generation")

    def _hold(self, held: FileTable, past: history.History, generation: object) -> None:
        self._generation = generation
        self.files, self.by_path = held, dict(zip(held.paths, held.ids, strict=True))
        self.kinds, self._segments = held.by_id("kind"), held.by_id("segment")
        self.statistics = statistics(held.ids, held.columns["length"])
        self.history = past
        for name in ("of_kind", "_whole", "_history_ids", "_history_numbers", "changes"):
            self.__dict__.pop(name, None)

    def count_exactly(self, count_lines: linecount.Lines | None = None) -> int:
        """Count the lines of files that were not counted yet; how many files those were. Loads the vocabulary."""
        from ctxe.repo.indexing.counting import count_missing

        return count_missing(self.db, self.root, count_lines)

    def status(self) -> dict[str, object]:
        """How the index stands against the tree, without changing it: sizes, and files that changed since."""
        known = {file.path: file for file in file_table.read(self.db).every()}
        listed = {one.path: one for one in list_files(self.git)}
        return {
            "path": str(self.path or "memory"),
            "files": len(known),
            "commits": len(history.load(self.db)),
            "bytes": self._size(),
            "stale": sum(differs(one.size, one.mtime, known.get(path)) for path, one in listed.items()),
            "gone": len(known.keys() - listed.keys()),
            "note": self.note,
        }

    def _size(self) -> int:
        """Bytes on disk, with what SQLite did not move from its journal into the file yet."""
        if self.path is None:
            return 0
        parts = (self.path, self.path.with_name(f"{self.path.name}-wal"))
        return sum(part.stat().st_size for part in parts if part.exists())

    # -- asking

    def details(self, ids: Iterable[int]) -> dict[int, Details]:
        """What is inside these files."""
        return store.details(self.db, ids)

    def text(self, path: str) -> str | None:
        """What a file holds by now; None when it cannot be read."""
        return read_text(self.root, path)

    def beginning(self, path: str) -> str | None:
        """What a file begins with, however large it is; None when it cannot be read."""
        return read_text(self.root, path, cut=True)

    def postings(self, terms: Iterable[str]) -> dict[str, tuple[array[int], array[int]]]:
        """Heads and units of every term that occurs (see ``postings.Posting``), of files as they are now."""
        return store.postings(self.db, terms, self._segments, self._whole)

    @cached_property
    def of_kind(self) -> dict[str, set[int]]:
        """The ids of the files of each kind."""
        kinds = list(self.kinds.values())
        return {kind: set(compress(self.kinds, map(kind.__eq__, kinds))) for kind in set(kinds)}

    @cached_property
    def _whole(self) -> frozenset[int]:
        return store.whole_segments(self.db, self._segments)

    def messages(self, terms: Iterable[str]) -> dict[str, array[int]]:
        """For every term that past commits used: (commit << 8 | times), commits as numbered in ``history``."""
        return history.messages(self.db, terms)

    def commits(self, names: Iterable[str]) -> dict[str, list[int]]:
        """For each name of a commit: the commits whose names begin so, as numbered in ``history``."""
        return history.numbered(self.db, names)

    @cached_property
    def _history_ids(self) -> list[int]:
        """For every path of the history the id of the file that is there now, or -1."""
        return [self.by_path.get(path, -1) for path in self.history.paths]

    def changed_in(self, commit: int) -> list[int]:
        """Ids of the files that a commit changed and that are still there."""
        ids = self._history_ids
        return [number for place in self.history.files(commit) if (number := ids[place]) >= 0]

    def history_number(self, number: int) -> int | None:
        """The number of a file in the history, None when no commit changed it."""
        return self._history_numbers.get(number)

    @cached_property
    def _history_numbers(self) -> dict[int, int]:
        return {number: place for place, number in enumerate(self._history_ids) if number >= 0}

    @cached_property
    def changes(self) -> dict[int, int]:
        """How many past commits changed each file."""
        ids = self._history_ids
        counted = Counter(self.history.touched)
        return {ids[place]: times for place, times in counted.items() if ids[place] >= 0}

    def neighbours(self, number: int) -> tuple[list[int], list[int]]:
        """Ids of the files that this one imports, and of those that import it."""
        ahead = self.db.execute("SELECT target FROM imports WHERE importer=?", (number,))
        behind = self.db.execute("SELECT importer FROM imports WHERE target=?", (number,))
        return [row[0] for row in ahead], [row[0] for row in behind]


def _told(listed: Columns) -> Columns:
    """What is listed without names that are no UTF-8: they can be stored nowhere and told to nobody."""
    return listed if all(map(str.isascii, listed.paths)) else listed.only(list(map(_is_utf8, listed.paths)))


def _is_utf8(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True
