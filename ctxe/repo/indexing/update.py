"""Bringing an index up to date: changed files are scanned and stored in segments, deleted files are removed."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterable
from pathlib import Path

from ctxe.domain.errors import StoreError
from ctxe.domain.value import dataclass
from ctxe.repo.files import ListedFile, read_text
from ctxe.repo.indexing import database, file_table, store
from ctxe.repo.indexing.counting import counter
from ctxe.repo.indexing.database import transaction
from ctxe.repo.indexing.linking import importers_of, link
from ctxe.repo.indexing.scan import digest
from ctxe.repo.indexing.store import File, differs
from ctxe.repo.indexing.worker_pool import InProcess, Segment, WorkerPool

FEW_FILES, MOST_WITHOUT_WORKERS = 40, 150
"""Changed files up to which no line tokens are counted, and up to which this process scans without workers."""
JOB_FILES = 40
MOST_ATTEMPTS = 20
MOST_SEGMENTS = 16


class _Raced(Exception):
    """Another session wrote to the index in the meantime."""


@dataclass(frozen=True, slots=True)
class Update:
    """One update of the index in ``db`` (its file is ``path``) of the tree at ``root``.

    ``segment_files`` is the number of files whose postings are written at once; ``begun`` is when the tree was listed,
    in nanoseconds. ``progress`` is called with (files done, files to do), ``meanwhile`` once as soon as workers scan.
    """

    db: sqlite3.Connection
    root: Path
    path: Path | None
    workers: int
    segment_files: int
    begun: int
    progress: Callable[[int, int], None] | None = None
    meanwhile: Callable[[], object] | None = None

    def __call__(self, known: dict[str, File], listed: list[ListedFile], generation: object) -> tuple[int, int]:
        """Update the index; returns how many files were scanned and how many removed. Raises StoreError.

        ``known`` are the files of this ``generation``, or of a later one. When another session writes in the meantime
        the update starts over, without the files that the other session has scanned.
        """
        for _ in range(MOST_ATTEMPTS):
            try:
                return self._update(known, listed, generation)
            except _Raced:
                generation = database.meta(self.db, "generation")
                known = {file.path: file for file in store.files(self.db)}
        raise StoreError(f"{self.path} is constantly written by other sessions", "try again when they are done")

    def _update(self, known: dict[str, File], listed: list[ListedFile], generation: object) -> tuple[int, int]:
        """Scan changed files and remove deleted ones; raises _Raced when another session writes in the meantime."""
        suspects = [entry for entry in listed if differs(entry.size, entry.mtime, known.get(entry.path))]
        listed_paths = {entry.path for entry in listed}
        deleted = [file for path, file in known.items() if path not in listed_paths]
        changed = self._really_changed(suspects, known)
        changed_paths = [
            *(entry.path for entry in changed if entry.path not in known),
            *(file.path for file in deleted),
        ]
        importers = importers_of(self.db, changed_paths) if known else set[int]()
        if importers:
            with transaction(self.db):
                self._unlink(importers)
        if deleted:
            generation = self._remove(deleted, generation)
        if changed:
            self._add(changed, self._numbers(changed, known), generation)
        link(self.db, importers)
        return len(changed), len(deleted)

    def _unlink(self, importers: Iterable[int]) -> None:
        """Record that these files' imports must be resolved again, in case an interruption comes first."""
        self.db.executemany("INSERT OR IGNORE INTO unlinked VALUES (?)", ((importer,) for importer in importers))

    def _add(self, changed: list[ListedFile], ids: dict[str, int], generation: object) -> None:
        """Scan files and store them, segment by segment; an interruption still stores what was scanned until then."""
        size = sum(file.size for file in changed)
        paths = {ids[file.path]: file.path for file in changed}
        files_by_id = {ids[file.path]: file for file in changed}
        counted: dict[int, bytes] = {}
        done = 0
        scanning = self._scanning([(ids[file.path], file.path) for file in changed])
        try:
            if self.meanwhile is not None:
                self.meanwhile()
            count = counter(self.root, paths, size) if len(changed) > FEW_FILES else None
            for result in scanning:
                if isinstance(result, Segment):
                    generation = self._write(result, counted, files_by_id, generation)
                    continue
                counted |= count(result) if count is not None else {}
                done = min(done + len(result), len(changed))
                if self.progress is not None:
                    self.progress(done, len(changed))
        except (KeyboardInterrupt, SystemExit):
            for segment in scanning.rest():
                generation = self._write(segment, counted, files_by_id, generation)
            raise
        finally:
            scanning.stop()

    def _scanning(self, files: list[tuple[int, str]]) -> InProcess | WorkerPool:
        jobs = (files[start : start + JOB_FILES] for start in range(0, len(files), JOB_FILES))
        enough = max(self.segment_files, len(files) // MOST_SEGMENTS)
        if len(files) <= MOST_WITHOUT_WORKERS or self.workers < 2:
            return InProcess(self.root, jobs, enough)
        return WorkerPool(self.root, jobs, enough, self.workers)

    def _really_changed(self, suspects: list[ListedFile], known: dict[str, File]) -> list[ListedFile]:
        """The files among ``suspects`` whose content differs; for the others the new time and size are stored."""
        digests = (
            dict(self.db.execute("SELECT id, digest FROM files"))
            if any(file.path in known for file in suspects)
            else {}
        )
        changed, same = [], []
        for file in suspects:
            old = known.get(file.path)
            if old is not None and self._same_content(file, old, digests.get(old.id)):
                same.append((file.mtime, file.size, self.begun, old.id))
            else:
                changed.append(file)
        if same:
            with transaction(self.db):
                file_table.forget(self.db)
                self.db.executemany("UPDATE files SET mtime=?,size=?,scanned=? WHERE id=?", same)
        return changed

    def _same_content(self, file: ListedFile, old: File, mark: bytes | None) -> bool:
        """Whether a file that looks changed has its old content, by hash; for data, by size."""
        if old.kind == "data":
            return file.size == old.size
        text = read_text(self.root, file.path)
        return text is not None and digest(text) == mark

    def _numbers(self, changed: list[ListedFile], known: dict[str, File]) -> dict[str, int]:
        """An id for every changed file: its old one, or the next free one."""
        free = (self.db.execute("SELECT max(id) FROM files").fetchone()[0] or 0) + 1
        ids = {}
        for file in changed:
            old = known.get(file.path)
            ids[file.path] = old.id if old else free
            free += old is None
        return ids

    def _next_generation(self, expected: object) -> int:
        """Begin a write: raise the stored generation by one. Raises _Raced when it is no longer ``expected``."""
        if database.meta(self.db, "generation") != expected:
            raise _Raced
        file_table.forget(self.db)
        generation = int(str(expected or 0)) + 1
        database.note(self.db, "generation", generation)
        return generation

    def _remove(self, deleted: list[File], generation: object) -> int:
        with transaction(self.db):
            raised = self._next_generation(generation)
            for file in deleted:
                for statement in ("INSERT OR IGNORE INTO unlinked SELECT importer FROM imports WHERE target=?",
                                  "DELETE FROM files WHERE id=?", "DELETE FROM details WHERE id=?",
                                  "DELETE FROM imports WHERE importer=?", "DELETE FROM imports WHERE target=?",
                                  "DELETE FROM unlinked WHERE importer=?"):  # fmt: skip
                    self.db.execute(statement, (file.id,))
        return raised

    def _write(
        self, segment: Segment, counted: dict[int, bytes], files_by_id: dict[int, ListedFile], generation: object
    ) -> int:
        with transaction(self.db):
            raised = self._next_generation(generation)
            number = (self.db.execute("SELECT max(id) FROM segments").fetchone()[0] or 0) + 1
            pairs = [(scanned.id, files_by_id[scanned.id]) for scanned in segment.files]
            rows = ((file_id, os.fsencode(file.path), file.size, file.mtime, self.begun) for file_id, file in pairs)
            self.db.executemany("INSERT OR REPLACE INTO files (id,path,size,mtime,scanned) VALUES (?,?,?,?,?)", rows)
            lines = {file.id: counted.pop(file.id, b"") for file in segment.files}
            store.add_segment(self.db, number, segment.files, segment.packed, lines)
            self._unlink(file.id for file in segment.files)
            if number > MOST_SEGMENTS and number % 8 == 0:
                store.merge_small_segments(self.db)
        return raised
