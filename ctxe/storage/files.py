"""Reading and writing files so that neither a crash, nor a full disk, nor a second session leaves half a file."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from ctxe.domain.errors import StoreError

PRIVATE_FILE, PRIVATE_FOLDER = 0o600, 0o700
MEMORY = ".ctxe"
"""The memory folder of a project."""
IGNORE_ALL = b"*\n"
"""The content of its .gitignore until the memory is shared."""
MOST_BYTES = 64_000_000
"""Bytes of the largest file that is rewritten."""
MOST_CACHED = 512_000_000
"""Bytes of the largest cache file that is read."""


@contextlib.contextmanager
def _as_store_error(path: Path, verb: str) -> Iterator[None]:
    """Turn an OSError into a StoreError that names the file and the cause."""
    try:
        yield
    except OSError as error:
        cause = error.strerror or type(error).__name__
        raise StoreError(f"cannot {verb} {path}: {cause}", "check free space and permissions") from error


def sync_folder(folder: Path) -> None:
    """Make a rename or a new file in ``folder`` durable; does nothing where folders cannot be synced.

    Raises StoreError when the disk itself fails.
    """
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno in (errno.EIO, errno.ENOSPC, errno.EDQUOT):
            raise StoreError(f"cannot make {folder} durable: {error.strerror}", "check the disk") from error
    finally:
        os.close(handle)


def make_folder(folder: Path) -> None:
    """Create a folder and its missing parents, private and durable.

    Raises StoreError, also for a symlink inside a project's memory folder, which may come from the repository.
    """
    if MEMORY in folder.parts:
        for at in (folder, *folder.parents):
            if at.is_symlink():
                raise StoreError(f"{at} is a symbolic link", "make it a folder of its own")
            if at.name == MEMORY:
                break
    with _as_store_error(folder, "create"):
        missing = []
        at = folder
        while not at.exists() and at != at.parent:
            missing.append(at)
            at = at.parent
        for new in reversed(missing):
            new.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
            sync_folder(new.parent)
        if not folder.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, "a file is in its place")


def replace(path: Path, data: bytes, mode: int | None = None) -> None:
    """Replace a file atomically and durably; on failure the old content stays. Raises StoreError.

    An old file's mode is kept unless ``mode`` is given; a new file is private. The data is written to
    ``.<name>.<random>.tmp`` first, which is removed on failure.
    """
    make_folder(path.parent)
    spare = _spare(path)
    with _as_store_error(path, "write"):
        try:
            _write_new(spare, data, _mode(path) if mode is None else mode, sync=True)
            spare.replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                spare.unlink()
            raise
        sync_folder(path.parent)


def replace_many(files: Mapping[Path, bytes]) -> None:
    """Replace many files durably, syncing all of them before the first is renamed into place. Raises StoreError.

    Each file is replaced atomically; a crash between two renames leaves the remaining files unchanged.
    """
    from concurrent.futures import ThreadPoolExecutor

    folders = dict.fromkeys(path.parent for path in files)
    for folder in folders:
        make_folder(folder)
    spares = {path: _spare(path) for path in files}
    at = next(iter(files), Path())
    try:
        for path, data in files.items():
            at = path
            with _as_store_error(path, "write"):
                _write_new(spares[path], data, _mode(path), sync=False)
        # with eight at a time a journalling file system can commit several together
        with _as_store_error(at, "write"), ThreadPoolExecutor(8) as pool:
            list(pool.map(_sync_file, spares.values()))
        for path, spare in spares.items():
            with _as_store_error(path, "write"):
                spare.replace(path)
    finally:
        for spare in spares.values():
            with contextlib.suppress(OSError):
                spare.unlink()
    for folder in folders:
        sync_folder(folder)


def replace_quickly(path: Path, data: bytes) -> None:
    """Replace a cache file atomically but not durably. Symlinks are not followed, and errors are ignored."""
    with contextlib.suppress(OSError, StoreError):
        make_folder(path.parent)
        spare = _spare(path)
        try:
            _write_new(spare, data, PRIVATE_FILE, sync=False)
            spare.replace(path)
        finally:
            with contextlib.suppress(OSError):
                spare.unlink()


def without_links(path: Path, ends: Sequence[str] = ("",)) -> None:
    """Remove symlinks at a path, and at the path with each of the ``ends`` added. Raises StoreError.

    For files that a library opens by name: a symlink from a repository could lead to any file of the user.
    """
    with _as_store_error(path, "remove"):
        for at in (path.with_name(path.name + end) for end in ends):
            if at.is_symlink():
                at.unlink(missing_ok=True)


def remove(path: Path) -> None:
    """Delete a file durably, if it is still there. Raises StoreError."""
    with _as_store_error(path, "remove"):
        path.unlink(missing_ok=True)
        sync_folder(path.parent)


def _spare(path: Path) -> Path:
    """A temporary name beside a file, with at most 60 characters of its name, which are at most 240 of 255 bytes."""
    return path.with_name(f".{path.name[:60]}.{os.urandom(4).hex()}.tmp")


def _mode(path: Path) -> int:
    with contextlib.suppress(OSError):
        held = path.lstat().st_mode
        if stat.S_ISREG(held):
            return stat.S_IMODE(held) & 0o777
    return PRIVATE_FILE


def _write_new(path: Path, data: bytes, mode: int, *, sync: bool) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), mode)
    with os.fdopen(handle, "wb") as file:
        if hasattr(os, "fchmod"):  # what open makes of a mode depends on the umask
            os.fchmod(handle, mode)
        file.write(data)
        file.flush()
        if sync:
            os.fsync(file.fileno())


def _sync_file(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def append(path: Path, line: str) -> None:
    """Append one line durably; the newline is added here, also to an unfinished line before it.

    It is one ``write`` with O_APPEND, so that lines of several processes do not mix. Raises StoreError; part of a line
    for which the disk had no room is removed again.
    """
    make_folder(path.parent)
    with _as_store_error(path, "append to"):
        fresh = not path.exists()
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0)
        handle = os.open(path, flags, PRIVATE_FILE)
        try:
            size = os.fstat(handle).st_size
            torn = size > 0 and os.pread(handle, 1, size - 1) != b"\n"
            _write_all(handle, (("\n" if torn else "") + line + "\n").encode("utf-8", "surrogateescape"), size)
            os.fsync(handle)
        finally:
            os.close(handle)
        if fresh:
            sync_folder(path.parent)


def _write_all(handle: int, data: bytes, size: int) -> None:
    done = 0
    try:
        while done < len(data):
            done += os.write(handle, data[done:])
    except OSError:
        if done and os.fstat(handle).st_size == size + done:
            os.ftruncate(handle, size)
        raise


def read(path: Path, limit: int = 8_000_000) -> bytes:
    """Read at most ``limit`` bytes of a regular file. Raises StoreError, also for pipes, devices and folders."""
    with _as_store_error(path, "read"):
        if not path.is_file():
            raise FileNotFoundError(2, "no such regular file")
        with path.open("rb") as file:
            return file.read(limit)
