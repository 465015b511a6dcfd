"""Content-addressed copies of files, for restore points; content that git has already is not copied."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from ctxe.domain.errors import StoreError
from ctxe.domain.pattern import pattern
from ctxe.domain.value import dataclass
from ctxe.repo.git import Git
from ctxe.storage.files import make_folder, replace

OURS, GITS, LINK = "b:", "g:", "l:"
"""Prefixes of a key: the content is a copy of ours, a git object, or (a symlink's target) the rest of the key itself.

After the first two prefixes comes a hash, which is the same for the same content.
"""
NAME = pattern("[0-9a-f]{40}")


@dataclass(frozen=True, slots=True)
class Blobs:
    """Copies in ``folder``, subfolders named by two letters of the hash; objects of git are read by ``git``."""

    folder: Path
    git: Git

    def keep(self, data: bytes, *, durable: bool = False) -> str:
        """Store a copy and return its key. Raises StoreError."""
        name = name_of(data)
        path = self._path(name)
        if not _holds(path, data):
            make_folder(self.folder)
            if durable:
                replace(path, data)
            else:
                _write(path, data)
        return OURS + name

    def content(self, key: str) -> bytes:
        """The bytes behind a key. Raises StoreError when they are gone or damaged."""
        if key.startswith(OURS) and NAME.fullmatch(name := key.removeprefix(OURS)):
            with contextlib.suppress(OSError):
                data = self._path(name).read_bytes()
                if name_of(data) == name:
                    return data
        elif key.startswith(GITS) and NAME.fullmatch(name := key.removeprefix(GITS)):
            blob = self.git.output("cat-file", "blob", name)
            if blob is not None and name_of(blob) == name:
                return blob
        raise StoreError(f"the copy {key or '(none)'} is gone", "the file is left as it is")

    def sweep(self, used: Iterable[str], before: float) -> int:
        """Delete copies older than ``before`` (seconds since the epoch) that are not in ``used``. Returns how many."""
        used_names = {key.removeprefix(OURS) for key in used if key.startswith(OURS)}
        deleted = 0
        for path in self._all():
            with contextlib.suppress(OSError):
                if path.parent.name + path.name not in used_names and path.stat().st_mtime < before:
                    path.unlink()
                    deleted += 1
        return deleted

    def size(self) -> int:
        """The total bytes of all copies."""
        total = 0
        for path in self._all():
            with contextlib.suppress(OSError):
                total += path.stat().st_size
        return total

    def _path(self, name: str) -> Path:
        return self.folder / name[:2] / name[2:]

    def _all(self) -> Iterator[Path]:
        """Every copy, without following symlinks, which may come from the repository."""
        folders = () if self.folder.is_symlink() else self.folder.glob("??")
        real_folders = (folder for folder in folders if not folder.is_symlink())
        return (path for folder in real_folders for path in folder.glob("*") if not path.name.startswith("."))


def name_of(data: bytes) -> str:
    """The hash that names a content: that of git's blob (gitformat-objects) in a SHA-1 repository."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def _holds(path: Path, data: bytes) -> bool:
    try:
        return path.stat().st_size == len(data) and path.read_bytes() == data
    except OSError:
        return False


def _write(path: Path, data: bytes) -> None:
    """Write a copy without fsync, as thousands may be made at once; a copy lost in a crash is noticed by its hash."""
    try:
        with contextlib.suppress(FileExistsError):
            path.parent.mkdir(mode=0o700)
        if path.parent.is_symlink():
            raise NotADirectoryError(errno.ENOTDIR, "a link is in its place")
        spare = path.with_name(f".{os.urandom(6).hex()}.tmp")
        handle = os.open(spare, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        spare.replace(path)
    except OSError as error:
        raise StoreError(
            f"cannot keep a copy in {path.parent}: {error.strerror or error}", "check free space"
        ) from error
