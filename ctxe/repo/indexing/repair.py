"""An index whose file is damaged: noticed when what stands in it makes no sense, made anew, and asked once more."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable
from typing import TypeVar

from ctxe.domain.errors import StoreError
from ctxe.repo.indexing import database
from ctxe.repo.indexing.index import Index, Progress, Refreshed

DAMAGE = (sqlite3.DatabaseError, ValueError, LookupError, TypeError, AttributeError, OverflowError)
"""What comes of an index in which anything may stand."""
_NO_DAMAGE = ("locked", "full", "readonly", "unable to open", "disk I/O")
MENDED = "the index was damaged and was made anew"
OUTLIVED = "outlived"
"""The key under which an index keeps the error for which it was made anew in vain, until something goes well."""

Told = TypeVar("Told")


def sound(index: Index, ask: Callable[[Index], Told]) -> Told:
    """What ``ask`` makes of an index, or of a new one where that fails. Raises what ``ask`` raises of a sound index.

    An error that a new index gives as well is a bug of ours: for the same one the index is not made anew again.
    Raises StoreError when the file cannot be used for other reasons than what stands in it.
    """
    try:
        told = ask(index)
    except DAMAGE as error:
        if _outlived(index) == repr(error):
            raise
        _mend(index, error)
    else:
        if _outlived(index):
            database.note(index.db, OUTLIVED, "")
        return told
    index.refresh()
    try:
        return ask(index)
    except DAMAGE as error:
        database.note(index.db, OUTLIVED, repr(error))
        raise


def refreshed(index: Index, progress: Progress | None = None) -> Refreshed:
    """The same for bringing an index up to date."""
    try:
        return index.refresh(progress)
    except DAMAGE as error:
        _mend(index, error)
    return index.refresh(progress)


def _outlived(index: Index) -> object:
    with contextlib.suppress(sqlite3.Error):
        return database.meta(index.db, OUTLIVED)
    return None


def _mend(index: Index, error: Exception) -> None:
    if index.path is None:
        raise error
    if isinstance(error, sqlite3.OperationalError) and any(word in str(error) for word in _NO_DAMAGE):
        raise StoreError(f"cannot use {index.path}: {error}", "check permissions and free space") from error
    index.renew()
    index.note = MENDED
