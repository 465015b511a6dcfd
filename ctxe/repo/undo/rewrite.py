"""Writing a file of the work tree atomically, keeping its owner, mode, hard links and extended attributes.

Every path is opened folder by folder from the root without following symlinks, so nothing outside the root can be
reached, even when folders change in the meantime. Errors become a StoreError with the file and the cause.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from ctxe.domain.errors import StoreError
from ctxe.domain.value import dataclass

_FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
_READ = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)

SPARE = ".ctxe-"
STRAY_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Spot:
    """A name in an open folder (``folder`` is its file descriptor), on which every operation here works."""

    folder: int
    name: str

    def look(self) -> os.stat_result | None:
        """The file's status, without following a symlink; None when there is nothing."""
        try:
            return os.stat(self.name, dir_fd=self.folder, follow_symlinks=False)
        except FileNotFoundError:
            return None


@contextlib.contextmanager
def _as_store_error(path: str, verb: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        linked = error.errno in (errno.ELOOP, errno.ENOTDIR)
        cause = "a folder on the way is a link or no folder" if linked else error.strerror or type(error).__name__
        raise StoreError(f"cannot {verb} {path}: {cause}", "check free space and permissions") from error


@contextlib.contextmanager
def spot(root: Path, path: str, *, make: bool = False) -> Iterator[Spot]:
    """Open the folder of a path (with ``/``, relative to ``root``), with ``make`` creating it. Raises OSError."""
    parts = PurePosixPath(path).parts
    if not parts or parts[0] == "/" or ".." in parts:
        raise OSError(errno.EINVAL, "not a path below the root")
    handle = os.open(root, _FOLDER & ~getattr(os, "O_NOFOLLOW", 0))
    try:
        for part in parts[:-1]:
            if make:
                with contextlib.suppress(FileExistsError):
                    os.mkdir(part, dir_fd=handle)
            inner = os.open(part, _FOLDER, dir_fd=handle)
            os.close(handle)
            handle = inner
        yield Spot(handle, parts[-1])
    finally:
        os.close(handle)


def look(root: Path, path: str) -> os.stat_result | None:
    """The status of a path, without following symlinks; None when there is nothing, or a symlink is on the way."""
    try:
        with spot(root, path) as place:
            return place.look()
    except OSError:
        return None


def read(root: Path, path: str, limit: int) -> bytes:
    """Read at most ``limit`` bytes of a regular file. Raises StoreError."""
    with _as_store_error(path, "read"), spot(root, path) as place:
        status = place.look()
        if status is not None and not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "not a regular file")
        with os.fdopen(os.open(place.name, _READ, dir_fd=place.folder), "rb") as file:
            return file.read(limit)


def rewrite(root: Path, path: str, data: bytes, *, force: bool = False) -> None:
    """Replace the content of a file, or create it with its folders. Raises StoreError, and the old content stays.

    A new file takes over owner, mode and extended attributes and is renamed into place. Where that is not possible, or
    the file has other hard links, it is overwritten, with a copy beside it until the new content is durable.
    A read-only file is refused unless ``force``.
    """
    with _as_store_error(path, "write"), spot(root, path, make=True) as place:
        status = place.look()
        if status is None:
            _swap(place, data, None)
            return
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "not a regular file")
        if not force and not status.st_mode & 0o222:
            raise OSError(errno.EACCES, f"it is read-only (mode {stat.S_IMODE(status.st_mode):o})")
        if status.st_nlink > 1 or not _swap(place, data, status):
            _overwrite(place, data)


def remove(root: Path, path: str) -> None:
    """Delete a file or a symlink, if it is still there. Raises StoreError."""
    with _as_store_error(path, "delete"), contextlib.suppress(FileNotFoundError), spot(root, path) as place:
        os.unlink(place.name, dir_fd=place.folder)


def remove_folder(root: Path, path: str) -> bool:
    """Delete a folder if it is empty; True when it is gone."""
    try:
        with spot(root, path) as place:
            os.rmdir(place.name, dir_fd=place.folder)
    except OSError:
        return False
    return True


def link(root: Path, path: str, target: str) -> None:
    """Put a symlink at a path, replacing a file or symlink there. Raises StoreError."""
    with _as_store_error(path, "link"), spot(root, path, make=True) as place:
        spare = _spare()
        os.symlink(target, spare, dir_fd=place.folder)
        try:
            os.replace(spare, place.name, src_dir_fd=place.folder, dst_dir_fd=place.folder)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(spare, dir_fd=place.folder)
            raise


def stamp(root: Path, path: str, mode: int, mtime: int) -> None:
    """Set the permission bits and the modification time (nanoseconds) of a regular file. Raises StoreError."""
    with _as_store_error(path, "set the mode of"), spot(root, path) as place:
        handle = os.open(place.name, _READ, dir_fd=place.folder)
        try:
            os.fchmod(handle, stat.S_IMODE(mode))
            os.utime(handle, ns=(mtime, mtime))
        finally:
            os.close(handle)


def _spare() -> str:
    return f"{SPARE}{os.urandom(6).hex()}.tmp"


def is_stray(name: str, mtime: int, now: float) -> bool:
    """Whether a file is a temporary one that a killed process left; ``mtime`` in nanoseconds, ``now`` in seconds."""
    return name.startswith(SPARE) and name.endswith(".tmp") and mtime / 1e9 < now - STRAY_SECONDS


def _swap(place: Spot, data: bytes, like: os.stat_result | None) -> bool:
    """Write a new file and rename it over the old one; False, with nothing done, when it cannot be made ``like`` it."""
    spare = Spot(place.folder, _spare())
    handle = os.open(spare.name, _NEW, 0o666 if like is None else 0o600, dir_fd=place.folder)
    try:
        with os.fdopen(handle, "wb") as file:
            if like is not None and not _take_over(handle, place, like):
                os.unlink(spare.name, dir_fd=place.folder)
                return False
            file.write(data)
            file.flush()
            os.fsync(handle)
        os.replace(spare.name, place.name, src_dir_fd=place.folder, dst_dir_fd=place.folder)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(spare.name, dir_fd=place.folder)
        raise
    with contextlib.suppress(OSError):
        os.fsync(place.folder)
    return True


def _take_over(handle: int, place: Spot, like: os.stat_result) -> bool:
    """Give a new file the owner, attributes and mode of the old one; False when the system refuses."""
    try:
        status = os.fstat(handle)
        if (status.st_uid, status.st_gid) != (like.st_uid, like.st_gid):
            os.fchown(handle, like.st_uid, like.st_gid)
        _copy_attributes(handle, place)
        os.fchmod(handle, stat.S_IMODE(like.st_mode))
    except OSError:
        return False
    return True


def _copy_attributes(handle: int, place: Spot) -> None:
    """Copy extended attributes, access control lists included; does nothing where the system has none."""
    if sys.platform != "linux":
        return
    old = os.open(place.name, _READ, dir_fd=place.folder)
    try:
        try:
            names = os.listxattr(old)
        except OSError as error:
            if error.errno in (errno.ENOTSUP, errno.ENOSYS):
                return
            raise
        for name in names:
            value = os.getxattr(old, name)
            if name not in os.listxattr(handle) or os.getxattr(handle, name) != value:
                os.setxattr(handle, name, value)
    finally:
        os.close(old)


def _overwrite(place: Spot, data: bytes) -> None:
    """Write into the same inode, with a copy of the old content beside it until the new content is durable."""
    handle = os.open(place.name, _READ | os.O_RDWR, dir_fd=place.folder)
    with os.fdopen(handle, "r+b", buffering=0) as file:
        old = file.read()
        spare = f".{place.name[:100]}.{os.urandom(4).hex()}.old"
        with os.fdopen(os.open(spare, _NEW, 0o600, dir_fd=place.folder), "wb") as copy:
            copy.write(old)
            copy.flush()
            os.fsync(copy.fileno())
        try:
            _fill(handle, data)
        except OSError:
            # The blocks of the old content are still there, so it fits. Should this fail too, the copy stays.
            _fill(handle, old)
            os.unlink(spare, dir_fd=place.folder)
            raise
        os.unlink(spare, dir_fd=place.folder)


def _fill(handle: int, data: bytes) -> None:
    """Write ``data`` as the whole content of an open file. Allocates first, so a full disk fails before any change."""
    if data and hasattr(os, "posix_fallocate"):
        os.posix_fallocate(handle, 0, len(data))
    os.lseek(handle, 0, os.SEEK_SET)
    view = memoryview(data)
    while view:
        view = view[os.write(handle, view) :]
    os.ftruncate(handle, len(data))
    os.fsync(handle)
