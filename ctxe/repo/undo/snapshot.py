"""The state of the whole work tree at a moment: every file that git would list, with copies of those git does not have.

git's files are neither written nor locked; only its index is read. Files that did not change since the last snapshot
are not read again, by the rules that git uses for its index (size, times, inode).
"""

from __future__ import annotations

import json
import os
import stat
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

from ctxe.domain.errors import StoreError
from ctxe.domain.value import dataclass
from ctxe.repo.files import LISTING, OUR_FOLDER, walk
from ctxe.repo.git import Git, finish
from ctxe.repo.undo.blobs import GITS, LINK, NAME, OURS, Blobs, name_of
from ctxe.repo.undo.rewrite import look, read
from ctxe.storage.files import replace, replace_quickly

RACY = 2_000_000_000
"""Nanoseconds before a snapshot: a file changed since then is read again, as some file systems count whole seconds."""

FEW_NEW_FILES = 64
"""New files up to which copies are made without asking git for the content it has."""


class FileState(NamedTuple):
    """A file or symlink at a moment. ``key`` finds its content (empty: not kept); the rest shows whether it changed."""

    mode: int
    size: int
    mtime: int
    ctime: int
    inode: int
    key: str

    @property
    def content(self) -> str:
        """The hash of the content (for a symlink its key), wherever it is kept; empty when it is not kept."""
        return self.key if self.key.startswith(LINK) else self.key.removeprefix(OURS).removeprefix(GITS)

    @property
    def same(self) -> tuple[int, str]:
        """The mode and content, for comparison; size and time stand for a content that is not kept."""
        mode = 0 if self.key.startswith(LINK) else stat.S_IMODE(self.mode)
        return mode, self.content or f"?{self.size}.{self.mtime}"


@dataclass(frozen=True, slots=True)
class SnapshotBounds:
    """Limits: bytes of one file, bytes and seconds of one snapshot, number of ignored files, bytes of each of these."""

    file: int = 16_000_000
    total: int = 128_000_000
    seconds: float = 15.0
    ignored: int = 500
    ignored_file: int = 256_000


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The files by path; among ``ignored`` ones a new file does not count as a change. ``taken`` is in nanoseconds."""

    entries: Mapping[str, FileState]
    ignored: Mapping[str, FileState]
    taken: int

    def get(self, path: str) -> FileState | None:
        """The state of a path, ignored or not; None when it was not there."""
        return self.entries.get(path) or self.ignored.get(path)


def take(root: Path, git: Git, blobs: Blobs, last: Snapshot | None, bounds: SnapshotBounds) -> Snapshot:
    """Take a snapshot of the tree; returns ``last`` itself when nothing changed since.

    Files over a limit get an empty key: a change to them is noticed but cannot be undone.
    """
    taken = time.time_ns()
    reader = _Taker(root, git, blobs, bounds, last)
    listing = git.start("ls-files", "-o", "-i", "--exclude-standard", "--directory", "-z")
    statuses = dict(_with_status(root, _listed(git)))
    ignored = _ignored(finish(listing), bounds.ignored)
    ignored_statuses = {
        path: status for path, status in _with_status(root, ignored) if status.st_size <= bounds.ignored_file
    }
    reader.expect(statuses)
    tables = [
        {path: entry for path, status in table.items() if (entry := reader.entry(path, status)) is not None}
        for table in (statuses, ignored_statuses)
    ]
    if last is not None and not reader.reads and tables == [last.entries, last.ignored]:
        return last
    return Snapshot(tables[0], tables[1], taken)


def entry_of(root: Path, path: str, blobs: Blobs, limit: int, *, durable: bool = False) -> FileState | None:
    """The present state of one file, with a copy stored; None when there is no file. Raises StoreError."""
    status = look(root, path)
    if status is None or stat.S_ISDIR(status.st_mode):
        return None
    return _state(status, _copy(root, path, status, blobs, limit, durable=durable))


def save(path: Path, snapshot: Snapshot, *, durable: bool = False) -> None:
    """Write a snapshot to a file. Raises StoreError when ``durable``; otherwise a failure is ignored."""
    parts = {"taken": snapshot.taken, "entries": snapshot.entries, "ignored": snapshot.ignored}
    data = zlib.compress(json.dumps(parts, separators=(",", ":")).encode("ascii"), 1)
    if durable:
        replace(path, data)
    else:
        replace_quickly(path, data)


def load(path: Path) -> Snapshot | None:
    """Read a saved snapshot; None when it is missing or damaged."""
    try:
        parts = json.loads(zlib.decompress(path.read_bytes()))
        tables = [{name: FileState(*fields) for name, fields in parts[key].items()} for key in ("entries", "ignored")]
        return Snapshot(tables[0], tables[1], parts["taken"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError, zlib.error):
        return None


def _state(status: os.stat_result, key: str) -> FileState:
    return FileState(status.st_mode, status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino, key)


def _copy(root: Path, path: str, status: os.stat_result, blobs: Blobs, limit: int, *, durable: bool = False) -> str:
    """Store a copy of a file or symlink; returns its key, empty when it is too large or neither. Raises StoreError."""
    if stat.S_ISLNK(status.st_mode):
        try:
            return LINK + os.readlink(root / path)  # noqa: PTH115 (non-Unicode bytes must survive)
        except OSError as error:
            raise StoreError(f"cannot read the link {path}: {error.strerror}") from error
    if not stat.S_ISREG(status.st_mode) or status.st_size > limit:
        return ""
    data = read(root, path, limit + 1)
    return blobs.keep(data, durable=durable) if len(data) <= limit else ""


def _listed(git: Git) -> Iterable[str]:
    """Tracked and untracked files; without git, all files that the ignore files leave."""
    output = git.output(*LISTING)
    names = (
        walk(git.root) if output is None else (os.fsdecode(name) for name in dict.fromkeys(output.split(b"\0")) if name)
    )
    return (name for name in names if not name.startswith(OUR_FOLDER))


def _ignored(output: bytes | None, most: int) -> list[str]:
    """Ignored files such as .env, without those in folders that are ignored as a whole; ``output`` as git prints it."""
    names = (os.fsdecode(name) for name in (output or b"").split(b"\0") if name and not name.endswith(b"/"))
    return [name for name in names if not name.startswith(OUR_FOLDER)][:most]


def _with_status(root: Path, paths: Iterable[str]) -> Iterator[tuple[str, os.stat_result]]:
    """Files and symlinks with their status, but no folders (inner repositories) or paths through a symlink."""
    base = os.fspath(root) + os.sep
    real = _real_folders(base)
    for path in paths:
        try:
            status = os.lstat(base + path)
        except (OSError, ValueError):
            continue
        if not stat.S_ISDIR(status.st_mode) and real(path.rpartition("/")[0]):
            yield path, status


def _real_folders(base: str) -> Callable[[str], bool]:
    @cache
    def real(folder: str) -> bool:
        if not folder:
            return True
        try:
            return real(folder.rpartition("/")[0]) and stat.S_ISDIR(os.lstat(base + folder).st_mode)
        except OSError:
            return False

    return real


class _Taker:
    """Gives the state of files: from the last snapshot if unchanged, else by reading them within the limits."""

    def __init__(self, root: Path, git: Git, blobs: Blobs, bounds: SnapshotBounds, last: Snapshot | None) -> None:
        self.root, self.git, self.blobs, self.bounds = root, git, blobs, bounds
        self.last = last
        self.remaining_bytes = bounds.total
        self.deadline = time.monotonic() + bounds.seconds
        self.git_hashes: frozenset[str] = frozenset()
        self.reads = 0

    def expect(self, statuses: Mapping[str, os.stat_result]) -> None:
        """When many files are new, ask git for the content it has, which needs no copy."""
        unknown = sum(1 for path, status in statuses.items() if self._unchanged(path, status) is None)
        if unknown > FEW_NEW_FILES:
            output = self.git.output("ls-files", "-c", "-s", "-z") or b""
            names = (row.split(b" ", 2)[1].decode() for row in output.split(b"\0") if row.count(b" ") >= 2)
            self.git_hashes = frozenset(name for name in names if NAME.fullmatch(name))

    def entry(self, path: str, status: os.stat_result) -> FileState | None:
        """The state of a file; None when it vanished in the meantime."""
        unchanged = self._unchanged(path, status)
        if unchanged is not None:
            return unchanged
        self.reads += 1
        if time.monotonic() > self.deadline:
            return _state(status, "")
        try:
            return _state(status, self._key(path, status))
        except StoreError:
            return _state(status, "") if look(self.root, path) is not None else None

    def _unchanged(self, path: str, status: os.stat_result) -> FileState | None:
        last_state = self.last.get(path) if self.last is not None else None
        if last_state is None or not last_state.key or self.last is None or status.st_ctime_ns > self.last.taken - RACY:
            return None
        attributes = (status.st_mode, status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)
        return last_state if last_state[:5] == attributes else None

    def _key(self, path: str, status: os.stat_result) -> str:
        last_state = self.last.get(path) if self.last is not None else None
        git_hash = last_state.content if last_state is not None and last_state.key.startswith(GITS) else ""
        if stat.S_ISREG(status.st_mode) and (git_hash or self.git_hashes) and status.st_size <= self.bounds.file:
            name = name_of(read(self.root, path, self.bounds.file))
            if name == git_hash or name in self.git_hashes:
                return GITS + name
        if stat.S_ISREG(status.st_mode):
            if status.st_size > self.remaining_bytes:
                return ""
            self.remaining_bytes -= status.st_size
        return _copy(self.root, path, status, self.blobs, self.bounds.file)
