"""Reading and writing files so that a crash, a full disk or a second session never leaves half of one."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from ctxe.domain.errors import StoreError

PRIVATE_FILE, PRIVATE_FOLDER = 0o600, 0o700


@contextlib.contextmanager
def _told(path: Path, verb: str) -> Iterator[None]:
    """Turn an operating system error into one line that names the file and the cause."""
    try:
        yield
    except OSError as error:
        cause = error.strerror or type(error).__name__
        raise StoreError(f"cannot {verb} {path}: {cause}", "check free space and permissions") from error


def sync_folder(folder: Path) -> None:
    """Make a rename or a new name in ``folder`` durable; silently nothing where folders cannot be synced."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def make_folder(folder: Path) -> None:
    """Create a private folder and its parents. Raises StoreError."""
    with _told(folder, "create"):
        folder.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)


def replace(path: Path, data: bytes, mode: int = PRIVATE_FILE) -> None:
    """Put ``data`` in place of the file in one durable step; the old content stays when anything fails.

    Raises StoreError. A half-written neighbour (``.<name>.<random>.tmp``) is removed on failure.
    """
    make_folder(path.parent)
    spare = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    with _told(path, "write"):
        try:
            handle = os.open(spare, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), mode)
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            spare.replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                spare.unlink()
            raise
        sync_folder(path.parent)


def append(path: Path, line: str) -> None:
    """Add one line (its newline is ours) and make it durable; a torn line before it is closed first.

    One ``write`` call with O_APPEND, so that lines of several processes never mix. Raises StoreError.
    """
    make_folder(path.parent)
    with _told(path, "append to"):
        fresh = not path.exists()
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0)
        handle = os.open(path, flags, PRIVATE_FILE)
        try:
            size = os.fstat(handle).st_size
            torn = size > 0 and os.pread(handle, 1, size - 1) != b"\n"
            data = (("\n" if torn else "") + line + "\n").encode("utf-8", "surrogateescape")
            while data:
                data = data[os.write(handle, data) :]
            os.fsync(handle)
        finally:
            os.close(handle)
        if fresh:
            sync_folder(path.parent)


def read(path: Path, limit: int = 8_000_000) -> bytes:
    """At most ``limit`` bytes of a regular file. Raises StoreError, also for fifos, devices and folders."""
    with _told(path, "read"):
        if not path.is_file():
            raise FileNotFoundError(2, "no such regular file")
        with path.open("rb") as file:
            return file.read(limit)
