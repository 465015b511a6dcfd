"""An index whose file is damaged: noticed when what stands in it makes no sense, made anew, and asked once more."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import TypeVar

from ctxe.domain.errors import StoreError
from ctxe.repo.indexing.index import Index, Progress, Refreshed

DAMAGE = (sqlite3.DatabaseError, ValueError, LookupError, TypeError, AttributeError, OverflowError)
"""What comes of an index in which anything may stand."""
_NO_DAMAGE = ("locked", "full", "readonly", "unable to open", "disk I/O")
MENDED = "the index was damaged and was made anew"

Told = TypeVar("Told")


def sound(index: Index, ask: Callable[[Index], Told]) -> Told:
    """What ``ask`` makes of an index, or of a new one where that fails. Raises what ``ask`` raises of a sound index.

    Raises StoreError when the file cannot be used for other reasons than what stands in it.
    """
    try:
        return ask(index)
    except DAMAGE as error:
        _mend(index, error)
    index.refresh()
    return ask(index)


def refreshed(index: Index, progress: Progress | None = None) -> Refreshed:
    """The same for bringing an index up to date."""
    try:
        return index.refresh(progress)
    except DAMAGE as error:
        _mend(index, error)
    return index.refresh(progress)


def _mend(index: Index, error: Exception) -> None:
    if index.path is None:
        raise error
    if isinstance(error, sqlite3.OperationalError) and any(word in str(error) for word in _NO_DAMAGE):
        raise StoreError(f"cannot use {index.path}: {error}", "check permissions and free space") from error
    index.renew()
    index.note = MENDED
