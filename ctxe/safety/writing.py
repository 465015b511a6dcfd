"""Writing and deleting files inside the root: in one step, through folders that are no links; mode and owner stay."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
from pathlib import Path

from ctxe.domain.errors import ToolError
from ctxe.safety.paths import SAFE, inside, kind, open_folder, told


def write(root: Path, path: str, data: bytes, *, before: bytes | None = None) -> None:
    """Put ``data`` in place of a file inside the root, or make it with its folders, in one step.

    Mode, owner and extended attributes of an existing file stay; a file with several names is written in place, so
    that all of them see it. With ``before`` the content must still be that. Raises ToolError.
    """
    real = inside(root, path)
    with told(path):
        folder = open_folder(root, real.parent, make=True)
        try:
            old = _present(folder, real.name, path)
            if before is not None and (old is None or _content(folder, real.name) != before):
                raise ToolError(f"{path} changed since it was read; read it again")
            if old is not None and (old.st_nlink > 1 or not os.access(".", os.W_OK, dir_fd=folder)):
                _overwrite(folder, real.name, data)
            else:
                _replace(folder, real.name, data, old)
        finally:
            os.close(folder)


def remove(root: Path, path: str) -> None:
    """Delete a regular file inside the root. Raises ToolError."""
    real = inside(root, path)
    with told(path):
        folder = open_folder(root, real.parent)
        try:
            if _present(folder, real.name, path) is None:
                raise FileNotFoundError(errno.ENOENT, "no such file")
            os.unlink(real.name, dir_fd=folder)
        finally:
            os.close(folder)


def _present(folder: int, name: str, path: str) -> os.stat_result | None:
    """What stands there now; None for nothing. Raises ToolError for everything that is no regular file."""
    try:
        facts = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(facts.st_mode):
        raise ToolError(f"{path} is {kind(facts.st_mode)}, not a file")
    return facts


def _content(folder: int, name: str) -> bytes:
    with os.fdopen(os.open(name, os.O_RDONLY | SAFE, dir_fd=folder), "rb") as file:
        return file.read()


def _overwrite(folder: int, name: str, data: bytes) -> None:
    with os.fdopen(os.open(name, os.O_WRONLY | SAFE, dir_fd=folder), "wb") as file:
        file.write(data)
        file.truncate()
        file.flush()
        os.fsync(file.fileno())


def _replace(folder: int, name: str, data: bytes, old: os.stat_result | None) -> None:
    spare = f".{name[:80]}.{secrets.token_hex(4)}.tmp"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | SAFE
    handle = os.open(spare, flags, 0o666 if old is None else 0o600, dir_fd=folder)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            if old is not None:
                _dress(file.fileno(), folder, name, old)
            os.fsync(file.fileno())
        os.rename(spare, name, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(spare, dir_fd=folder)
        raise
    _sync(folder)


def _dress(handle: int, folder: int, name: str, old: os.stat_result) -> None:
    """Give a new file the owner, mode and attributes of the one it replaces; what we may not give stays away."""
    with contextlib.suppress(OSError):
        if (old.st_uid, old.st_gid) != (os.fstat(handle).st_uid, os.fstat(handle).st_gid):
            os.fchown(handle, old.st_uid, old.st_gid)
    os.fchmod(handle, stat.S_IMODE(old.st_mode))
    if not hasattr(os, "listxattr"):
        return
    with contextlib.suppress(OSError):
        source = os.open(name, os.O_RDONLY | SAFE, dir_fd=folder)
        try:
            for attribute in os.listxattr(source):
                os.setxattr(handle, attribute, os.getxattr(source, attribute))
        finally:
            os.close(source)


def _sync(folder: int) -> None:
    """Make a new name durable; a descriptor that only names a folder cannot be synced, so it is opened once more."""
    with contextlib.suppress(OSError):
        handle = os.open(".", os.O_RDONLY | SAFE, dir_fd=folder)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
