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
        for parent in (folder, *folder.parents):
            if parent.is_symlink():
                raise StoreError(f"{parent} is a symbolic link", "make it a folder of its own")
            if parent.name == MEMORY:
                break
    with _as_store_error(folder, "create"):
        missing = []
        parent = folder
        while not parent.exists() and parent != parent.parent:
            missing.append(parent)
            parent = parent.parent
        for missing_folder in reversed(missing):
            missing_folder.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
            sync_folder(missing_folder.parent)
        if not folder.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, "a file is in its place")


def replace(path: Path, data: bytes, mode: int | None = None) -> None:
    """Replace a file atomically and durably; on failure the old content stays. Raises StoreError.

    An old file's mode is kept unless ``mode`` is given; a new file is private. The data is written to
    ``.<name>.<random>.tmp`` first, which is removed on failure.
    """
    make_folder(path.parent)
    temporary = _temporary_path(path)
    with _as_store_error(path, "write"):
        try:
            _write_new(temporary, data, _mode(path) if mode is None else mode, sync=True)
            temporary.replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                temporary.unlink()
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
    temporaries = {path: _temporary_path(path) for path in files}
    current = next(iter(files), Path())
    try:
        for path, data in files.items():
            current = path
            with _as_store_error(path, "write"):
                _write_new(temporaries[path], data, _mode(path), sync=False)
        # with eight at a time a journalling file system can commit several together
        with _as_store_error(current, "write"), ThreadPoolExecutor(8) as pool:
            list(pool.map(_sync_file, temporaries.values()))
        for path, temporary in temporaries.items():
            with _as_store_error(path, "write"):
                temporary.replace(path)
    finally:
        for temporary in temporaries.values():
            with contextlib.suppress(OSError):
                temporary.unlink()
    for folder in folders:
        sync_folder(folder)


def replace_quickly(path: Path, data: bytes) -> None:
    """Replace a cache file atomically but not durably. Symlinks are not followed, and errors are ignored."""
    with contextlib.suppress(OSError, StoreError):
        make_folder(path.parent)
        temporary = _temporary_path(path)
        try:
            _write_new(temporary, data, PRIVATE_FILE, sync=False)
            temporary.replace(path)
        finally:
            with contextlib.suppress(OSError):
                temporary.unlink()


def without_links(path: Path, ends: Sequence[str] = ("",)) -> None:
    """Remove symlinks at a path, and at the path with each of the ``ends`` added. Raises StoreError.

    For files that a library opens by name: a symlink from a repository could lead to any file of the user.
    """
    with _as_store_error(path, "remove"):
        for candidate in (path.with_name(path.name + end) for end in ends):
            if candidate.is_symlink():
                candidate.unlink(missing_ok=True)


def remove(path: Path) -> None:
    """Delete a file durably, if it is still there. Raises StoreError."""
    with _as_store_error(path, "remove"):
        path.unlink(missing_ok=True)
        sync_folder(path.parent)


def _temporary_path(path: Path) -> Path:
    """A temporary name beside a file, with at most 60 characters of its name, which are at most 240 of 255 bytes."""
    return path.with_name(f".{path.name[:60]}.{os.urandom(4).hex()}.tmp")


def _mode(path: Path) -> int:
    with contextlib.suppress(OSError):
        mode = path.lstat().st_mode
        if stat.S_ISREG(mode):
            return stat.S_IMODE(mode) & 0o777
    return PRIVATE_FILE


def _write_new(path: Path, data: bytes, mode: int, *, sync: bool) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), mode)
    with os.fdopen(handle, "wb") as file:
        if hasattr(os, "fchmod"):  # open applies the umask to the mode
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
        is_new = not path.exists()
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0)
        handle = os.open(path, flags, PRIVATE_FILE)
        try:
            size = os.fstat(handle).st_size
            is_unfinished = size > 0 and os.pread(handle, 1, size - 1) != b"\n"
            _write_all(handle, (("\n" if is_unfinished else "") + line + "\n").encode("utf-8", "surrogateescape"), size)
            os.fsync(handle)
        finally:
            os.close(handle)
        if is_new:
            sync_folder(path.parent)


def _write_all(handle: int, data: bytes, size: int) -> None:
    written = 0
    try:
        while written < len(data):
            written += os.write(handle, data[written:])
    except OSError:
        if written and os.fstat(handle).st_size == size + written:
            os.ftruncate(handle, size)
        raise


def read(path: Path, limit: int = 8_000_000) -> bytes:
    """Read at most ``limit`` bytes of a regular file. Raises StoreError, also for pipes, devices and folders."""
    with _as_store_error(path, "read"):
        if not path.is_file():
            raise FileNotFoundError(2, "no such regular file")
        with path.open("rb") as file:
            return file.read(limit)
