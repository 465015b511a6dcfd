"""The index of a code base, which the planner asks: brought up to date by what changed, shared between sessions."""

from __future__ import annotations

import contextlib
import os
import time
from array import array
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from ctxe.domain.errors import StoreError
from ctxe.domain.value import dataclass
from ctxe.repo.files import Columns, ListedFile, list_columns, list_files, read_text, start_listing
from ctxe.repo.git import Git, finish
from ctxe.repo.indexing import database, file_table, history, line_tokens, store
from ctxe.repo.indexing.file_table import FileTable
from ctxe.repo.indexing.gc_pause import gc_paused
from ctxe.repo.indexing.indexed_history import IndexedHistory
from ctxe.repo.indexing.store import Details, differs
from ctxe.storage.databases import close_with_owner

SEGMENT_FILES = 2000
"""Files whose postings are written in one transaction, at least."""

Progress = Callable[[int, int], None]
"""Called with (files done, files to do) while an index is built."""


@dataclass(frozen=True, slots=True)
class Refreshed:
    """The result of an update: files scanned, removed and in all, and its time in seconds."""

    scanned: int
    removed: int
    total: int
    seconds: float


class Index:
    """Files, postings and history of one tree. ``note`` tells the user what, if anything, is unusual about it."""

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
        self.db = close_with_owner(self, db)
        self.files = file_table.empty()
        self.history = IndexedHistory(self.db, history.History(), self.files.by_path)
        self._whole_segments: frozenset[int] | None = None
        self._generation: object = None

    def close(self) -> None:
        """Close the database."""
        self.db.close()

    def renew(self) -> None:
        """Start over with an empty database, keeping vectors that can still be read. Raises StoreError."""
        if self.path is not None:
            self.db = close_with_owner(self, database.renewed(self.db, self.path))

    # -- bringing it up to date

    def refresh(self, progress: Progress | None = None, clock: Callable[[], float] = time.perf_counter) -> Refreshed:
        """Bring files and history up to date; an interruption keeps what was done until then."""
        with gc_paused():
            return self._refresh(progress, clock)

    def _refresh(self, progress: Progress | None, clock: Callable[[], float]) -> Refreshed:
        started = clock()
        listing = start_listing(self.git)
        generation = self._stored_generation()
        try:
            table = file_table.read(self.db)
        except BaseException:
            finish(listing)  # else git would be left running
            raise
        started_at = time.time_ns()
        listed = _with_utf8_names(list_columns(self.git, listing, table.paths))
        scanned = removed = 0
        if table.differs(listed) or self._unlinked():
            from ctxe.repo.indexing.update import Update  # imports every parser, and most often nothing has changed

            def past() -> None:
                history.refresh(self.db, self.git)

            update = Update(
                self.db, self.root, self.path, self._workers, self.segment_files, started_at, progress, past
            )
            files_by_path = {file.path: file for file in table.every()}
            scanned, removed = update(files_by_path, list(map(ListedFile, *listed)), generation)
            generation = self._stored_generation()
            table = file_table.keep(self.db)
        self._use(table, history.refresh(self.db, self.git), generation)
        return Refreshed(scanned, removed, len(listed.paths), clock() - started)

    def _unlinked(self) -> bool:
        """Whether an interrupted update left imports unresolved."""
        return self.db.execute("SELECT 1 FROM unlinked LIMIT 1").fetchone() is not None

    def load(self) -> None:
        """Load the index as it was last stored, without looking at the tree."""
        generation = self._stored_generation()
        self._use(file_table.read(self.db), history.load(self.db), generation)

    @contextlib.contextmanager
    def consistent(self) -> Iterator[None]:
        """Within the block all answers show one state of the index, whatever other sessions write in the meantime."""
        self.db.execute("BEGIN")
        try:
            if (self._stored_generation(), history.head_in(self.db)) != (self._generation, self.history.commits.head):
                self.load()
            yield
        finally:
            if self.db.in_transaction:
                self.db.execute("ROLLBACK")

    def _stored_generation(self) -> object:
        """The stored generation, a number that every write to the files raises."""
        return database.meta(self.db, "generation")

    def _use(self, table: FileTable, past: history.History, generation: object) -> None:
        self.files, self._whole_segments, self._generation = table, None, generation
        self.history = IndexedHistory(self.db, past, table.by_path)

    def count_exactly(self, count_lines: line_tokens.Lines | None = None) -> int:
        """Count tokens of lines that were only estimated so far. Loads the vocabulary; returns the number of files."""
        from ctxe.repo.indexing.counting import count_missing

        return count_missing(self.db, self.root, count_lines)

    def status(self) -> dict[str, object]:
        """How up to date the index is, without changing it: its size, and how many files have changed or gone since."""
        files_by_path = {file.path: file for file in file_table.read(self.db).every()}
        listed = {entry.path: entry for entry in list_files(self.git)}
        return {
            "path": str(self.path or "memory"),
            "files": len(files_by_path),
            "commits": len(history.load(self.db)),
            "bytes": self._size(),
            "stale": sum(differs(entry.size, entry.mtime, files_by_path.get(path)) for path, entry in listed.items()),
            "gone": len(files_by_path.keys() - listed.keys()),
            "note": self.note,
        }

    def _size(self) -> int:
        """Bytes on disk, SQLite's write-ahead log included."""
        if self.path is None:
            return 0
        parts = (self.path, self.path.with_name(f"{self.path.name}-wal"))
        return sum(part.stat().st_size for part in parts if part.exists())

    # -- asking

    def details(self, ids: Iterable[int]) -> dict[int, Details]:
        """The details of these files, by id."""
        return store.details(self.db, ids)

    def text(self, path: str) -> str | None:
        """The present text of a file; None when it cannot be read."""
        return read_text(self.root, path)

    def beginning(self, path: str) -> str | None:
        """The beginning of a file's present text, however large it is; None when it cannot be read."""
        return read_text(self.root, path, cut=True)

    def postings(self, terms: Iterable[str]) -> dict[str, tuple[array[int], array[int]]]:
        """Heads and units (see ``postings.Posting``) of every term that occurs in the indexed files."""
        if self._whole_segments is None:
            self._whole_segments = store.whole_segments(self.db, self.files.segments)
        return store.postings(self.db, terms, self.files.segments, self._whole_segments)

    def neighbours(self, number: int) -> tuple[list[int], list[int]]:
        """Ids of the files that this one imports, and of those that import it."""
        imported = self.db.execute("SELECT target FROM imports WHERE importer=?", (number,))
        importers = self.db.execute("SELECT importer FROM imports WHERE target=?", (number,))
        return [row[0] for row in imported], [row[0] for row in importers]


def _with_utf8_names(listed: Columns) -> Columns:
    """The listed files without those whose names are not UTF-8: such names can be neither stored nor shown."""
    return listed if all(map(str.isascii, listed.paths)) else listed.only(list(map(_is_utf8, listed.paths)))


def _is_utf8(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True
