"""All files of the index by columns, read at once as the last update left them; a ``File`` is made when asked for."""

from __future__ import annotations

import sqlite3
from array import array
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from operator import attrgetter
from typing import Any
from zlib import crc32

from ctxe.repo.files import Columns
from ctxe.repo.indexing.database import transaction
from ctxe.repo.indexing.store import COARSE, File, differs, files

_NUMBERS = ("id", "size", "mtime", "scanned", "segment", "lines", "length")
_NAMES = ("kind", "language")
Column = Sequence[Any]
"""Texts, or an array of 64-bit numbers."""


class FileTable(Mapping[int, File]):
    """Files by id in the order of their paths; a large tree has a hundred thousand, and a plan looks at few of them."""

    def __init__(self, columns: Mapping[str, Column]) -> None:
        self.columns = columns
        self.paths: Sequence[str] = columns["path"]
        self.ids: Sequence[int] = columns["id"]
        if any(len(column) != len(self.ids) for column in columns.values()):
            raise ValueError("the columns of the roster do not fit together")
        self._made: dict[int, File] = {}

    def __len__(self) -> int:
        return len(self.ids)

    def __iter__(self) -> Iterator[int]:
        return iter(self.ids)

    def __getitem__(self, number: int) -> File:
        made = self._made.get(number)
        if made is None:
            at = self._places[number]
            made = self._made[number] = File(*(self.columns[name][at] for name in File._fields))
        return made

    def every(self) -> list[File]:
        """All of them at once."""
        return list(map(File, *(self.columns[name] for name in File._fields)))

    def by_id(self, name: str) -> dict[int, Any]:
        """A column by the ids of the files."""
        return dict(zip(self.ids, self.columns[name], strict=True))

    @cached_property
    def _places(self) -> dict[int, int]:
        return dict(zip(self.ids, range(len(self.ids)), strict=True))

    def differs(self, listed: Columns) -> bool:
        """Whether a listed file may have changed since, or is new, or one is gone; asked with every plan."""
        held = self.columns
        if (listed.paths, listed.sizes, listed.mtimes) != (held["path"], held["size"], held["mtime"]):
            return True
        if max(held["mtime"], default=0) < min(held["scanned"], default=0) - COARSE:
            return False
        rows = zip(held["mtime"], held["scanned"], self.ids, strict=True)
        late = (self[number] for mtime, scanned, number in rows if mtime >= scanned - COARSE)
        return any(differs(file.size, file.mtime, file) for file in late)


def read(db: sqlite3.Connection) -> FileTable:
    """Every indexed file; where no roster is kept it is made of the rows. Raises ValueError for a damaged one."""
    kept = dict(db.execute("SELECT name, value FROM roster"))
    if not kept:
        return _of(files(db))
    if kept.pop("mark") != _mark(kept):
        raise ValueError("the roster of the files is torn")
    numbers = {name: array("q", kept[name]) for name in _NUMBERS}
    names = {name: _spelled(kept[name]) for name in _NAMES}
    return FileTable({"path": kept["path"].decode().split("\0") if kept["path"] else [], **numbers, **names})


def kept(db: sqlite3.Connection) -> FileTable:
    """The same, and kept for whoever reads it next."""
    with transaction(db):
        made = read(db)
        rows = {"path": "\0".join(made.paths).encode()}
        rows |= {name: array("q", made.columns[name]).tobytes() for name in _NUMBERS}
        rows |= {name: _short(made.columns[name]) for name in _NAMES}
        db.executemany("INSERT OR REPLACE INTO roster VALUES (?,?)", {**rows, "mark": _mark(rows)}.items())
    return made


def forget(db: sqlite3.Connection) -> None:
    """To be done with whatever is written to the rows of files."""
    db.execute("DELETE FROM roster")


def _of(rows: list[File]) -> FileTable:
    rows.sort(key=attrgetter("path"))
    columns = {name: list(map(attrgetter(name), rows)) for name in ("path", *_NUMBERS, *_NAMES)}
    return FileTable({name: array("q", column) if name in _NUMBERS else column for name, column in columns.items()})


def _short(names: Sequence[str]) -> bytes:
    """Names of which there are few: these, and for each place a byte that says which."""
    few = sorted(set(names))
    number = {name: place for place, name in enumerate(few)}
    return "\0".join(few).encode() + b"\n" + bytes(map(number.__getitem__, names))


def _spelled(short: bytes) -> list[str]:
    few, _, numbers = short.partition(b"\n")
    return list(map(few.decode().split("\0").__getitem__, numbers))


def _mark(rows: Mapping[str, bytes]) -> int:
    mark = 0
    for name in ("path", *_NUMBERS, *_NAMES):
        mark = crc32(rows[name], mark)
    return mark
