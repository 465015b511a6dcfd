"""Working with an index whose file may be damaged: when a call fails, the index is rebuilt and the call repeated."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable
from typing import TypeVar

from ctxe.domain.errors import StoreError
from ctxe.repo.indexing import database
from ctxe.repo.indexing.index import Index, Progress, Refreshed

DAMAGE = (sqlite3.DatabaseError, ValueError, LookupError, TypeError, AttributeError, OverflowError)
"""The errors that a damaged index can cause."""
_NO_DAMAGE = ("locked", "full", "readonly", "unable to open", "disk I/O")
REBUILT = "the index was damaged and has been rebuilt"
OUTLIVED = "outlived"
"""The key under which an index keeps an error that a rebuilt index raised as well, until a call succeeds."""

Answer = TypeVar("Answer")


def ask_with_repair(index: Index, ask: Callable[[Index], Answer]) -> Answer:
    """The answer of ``ask``; when the index is damaged, it is rebuilt and asked again.

    An error that the rebuilt index raises as well is a bug of ours: it is passed on, and the same error does not cause
    another rebuild. Raises StoreError when the file cannot be used for another reason than damage.
    """
    try:
        answer = ask(index)
    except DAMAGE as error:
        if _outlived(index) == repr(error):
            raise
        _rebuild(index, error)
    else:
        if _outlived(index):
            database.note(index.db, OUTLIVED, "")
        return answer
    index.refresh()
    try:
        return ask(index)
    except DAMAGE as error:
        database.note(index.db, OUTLIVED, repr(error))
        raise


def refresh_with_repair(index: Index, progress: Progress | None = None) -> Refreshed:
    """Bring an index up to date, rebuilding it when it is damaged. Raises StoreError as ``ask_with_repair`` does."""
    try:
        return index.refresh(progress)
    except DAMAGE as error:
        _rebuild(index, error)
    return index.refresh(progress)


def _outlived(index: Index) -> object:
    with contextlib.suppress(sqlite3.Error):
        return database.meta(index.db, OUTLIVED)
    return None


def _rebuild(index: Index, error: Exception) -> None:
    if index.path is None:
        raise error
    if isinstance(error, sqlite3.OperationalError) and any(word in str(error) for word in _NO_DAMAGE):
        raise StoreError(f"cannot use {index.path}: {error}", "check permissions and free space") from error
    index.renew()
    index.note = REBUILT
