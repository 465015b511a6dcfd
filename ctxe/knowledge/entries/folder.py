"""The memory folder on disk: locked, durable, undoable writes that never leave the folder."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from ctxe.domain.errors import StoreError
from ctxe.domain.section import digest_bytes
from ctxe.domain.value import dataclass
from ctxe.knowledge.entries import names
from ctxe.knowledge.entries.journal import Journal, JournalWrite
from ctxe.knowledge.entries.snapshot import content_of
from ctxe.storage import files
from ctxe.storage.files import IGNORE_ALL
from ctxe.storage.locks import lock

IGNORE_PRIVATE = b"sessions/\ncache/\ndamaged/\n"
MERGE_BY_LINE = b"daily/*.md merge=union\nmemory/log/*.jsonl merge=union\n"
LOCK_SECONDS = 60.0
MANY = 8
"""From this many files on, one durable pass writes them all."""

Changes = Mapping[str, bytes | None]
"""New bytes by path relative to the folder; None removes the file."""


@dataclass(frozen=True, slots=True)
class Folder:
    """One memory folder on disk. ``now`` returns unix seconds. Every method that writes raises StoreError."""

    path: Path
    journal: Journal
    now: Callable[[], float]

    def prepare(self) -> None:
        """Create the folder with a ``.gitignore`` that hides it from git until ``share`` is called."""
        files.make_folder(self.path)
        for name, data in ((".gitignore", IGNORE_ALL), (".gitattributes", MERGE_BY_LINE)):
            if not (self.path / name).exists():
                files.replace(self.path / name, data)

    def share(self) -> None:
        """Let git see all but sessions, cache and damaged files.

        A ``.gitignore`` that the user edited is left alone.
        """
        self.prepare()
        if files.read(self.path / ".gitignore") == IGNORE_ALL:
            files.replace(self.path / ".gitignore", IGNORE_PRIVATE)

    def locked(self, seconds: float = LOCK_SECONDS) -> AbstractContextManager[None]:
        """A lock that makes this process the only writer of the folder; waits up to ``seconds``."""
        self.prepare()
        return lock(self.path / "cache" / "store", seconds)

    def read(self, path: str) -> bytes:
        """The whole content of a file in the folder. Raises StoreError for a file that ``write`` would refuse."""
        data = files.read(self._inside(path), files.MOST_BYTES + 1)
        _must_fit(path, data)
        return data

    def write(self, says: str, changes: Changes) -> None:
        """Replace and remove files in one undoable write. The caller holds the lock."""
        for path, data in changes.items():
            _must_fit(path, data or b"")
        before = {path: self.read(path) if self._inside(path).exists() else None for path in changes}
        self._apply(changes)
        after = {path: None if data is None else digest_bytes(data) for path, data in changes.items()}
        self.journal.note(JournalWrite(says, self.now(), before, after))

    def append(self, path: str, line: str) -> Path:
        """Append a line to a file in the folder and return its full path. The caller holds the lock."""
        full = self._inside(path)
        files.append(full, line)
        self._mark_known([path])
        return full

    def undo(self) -> str:
        """Revert the last write and return its description. The caller holds the lock.

        Raises StoreError if any of its files changed since, or if there is no write to revert.
        """
        last = self.journal.newest()
        for path in last.before:
            self._inside(path)
        for path, content in last.after.items():
            if content_of(self.path / path) != content:
                raise StoreError(f"{path} was changed since", "nothing was taken back")
        self._apply(last.before)
        self.journal.forget_newest()
        self._mark_known(last.before)
        return last.says

    def clean(self, strays: Sequence[str]) -> None:
        """Remove temporary files. Their writers are dead: only the holder of the lock writes."""
        with self.locked(0.0):
            for path in strays:
                files.remove(self._inside(path))

    def keep_aside(self, path: str, data: bytes) -> None:
        """Copy a damaged file to ``damaged`` before any of it is rewritten."""
        name = re.sub(r"[^\w.-]", "-", path)
        aside = self.path / "damaged" / f"{name}.{names.hashed(data)}"
        if not aside.exists():
            files.replace(aside, data)

    def _inside(self, path: str) -> Path:
        """The full path of a file. Raises StoreError for a symlink or ``..`` that leads out of the folder."""
        full = self.path / path
        parent = full.parent.resolve()
        if full.is_symlink() or not parent.is_relative_to(self.path.resolve()) or ".." in full.parts:
            raise StoreError(f"{full} leads out of the memory folder", "remove the symbolic link")
        if full.is_dir():
            raise StoreError(f"{full} is a folder where a file should be", "move it away")
        return full

    def _apply(self, changes: Changes) -> None:
        """Write new content first and remove last: a crash in between leaves a duplicate but loses nothing."""
        new = {self.path / path: data for path, data in changes.items() if data is not None}
        if len(new) >= MANY:
            files.replace_many(new)
        else:
            for full, content in new.items():
                files.replace(full, content)
        for path, data in changes.items():
            if data is None:
                files.remove(self.path / path)

    def _mark_known(self, paths: Sequence[str] | Changes) -> None:
        """Record the current content of these files as written by ctxe: it is then no outside change."""
        known = self.journal.known()
        if known is not None:
            self.journal.know({**known, **{path: content_of(self.path / path) for path in paths}})


def _must_fit(path: str, data: bytes) -> None:
    """Raise StoreError for content too long to be read back whole."""
    if len(data) > files.MOST_BYTES:
        raise StoreError(f"{path} has more than {files.MOST_BYTES:,} bytes", "split it into several files")
