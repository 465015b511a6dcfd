"""Locks between processes, and cleaning up after processes that were killed."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

from ctxe.domain.errors import StoreError
from ctxe.storage.files import make_folder, without_links

STRAY_SECONDS = 600.0


@contextlib.contextmanager
def lock(path: Path, seconds: float = 10.0) -> Iterator[None]:
    """Hold ``<path>.lock`` within the block; the kernel releases it when the process dies.

    Raises StoreError after ``seconds``.
    """
    from filelock import FileLock, Timeout

    make_folder(path.parent)
    without_links(path, (".lock",))
    file_lock = FileLock(str(path) + ".lock", timeout=seconds, mode=0o600, poll_interval=0.01)
    try:
        file_lock.acquire()
    except Timeout:
        raise StoreError(f"{path} is in use by another session", "try again when it has finished") from None
    except OSError as error:
        raise StoreError(f"cannot lock {path}: {error.strerror or error}", "check permissions") from error
    try:
        yield
    finally:
        file_lock.release()


def sweep(folder: Path, now: float | None = None) -> int:
    """Remove temporary files that killed processes left more than ten minutes ago. Returns how many."""
    removed = 0
    if folder.is_symlink():
        return removed
    limit = (time.time() if now is None else now) - STRAY_SECONDS
    for stray in folder.rglob(".*.tmp"):
        with contextlib.suppress(OSError):
            if stray.lstat().st_mtime < limit:
                stray.unlink()
                removed += 1
    return removed
