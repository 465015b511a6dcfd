"""All files of the index as columns, stored in one piece by the last update; a ``File`` is made when asked for."""

from __future__ import annotations

import sqlite3
from array import array
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import compress
from operator import attrgetter
from typing import Any
from zlib import crc32

from ctxe.repo.files import Columns
from ctxe.repo.indexing.database import transaction
from ctxe.repo.indexing.statistics import Statistics, statistics
from ctxe.repo.indexing.store import COARSE_TICK, File, differs, files

_NUMBERS = ("id", "size", "mtime", "scanned", "segment", "lines", "length")
_NAMES = ("kind", "language")
Column = Sequence[Any]
"""A list of texts, or an array of 64-bit numbers."""


class FileTable(Mapping[int, File]):
    """Files by id, in the order of their paths. A large tree has a hundred thousand, of which a plan looks at few."""

    def __init__(self, columns: Mapping[str, Column]) -> None:
        self.columns = columns
        self.paths: Sequence[str] = columns["path"]
        self.ids: Sequence[int] = columns["id"]
        if any(len(column) != len(self.ids) for column in columns.values()):
            raise ValueError("the columns of the file table have different lengths")
        self._files: dict[int, File] = {}

    def __len__(self) -> int:
        return len(self.ids)

    def __iter__(self) -> Iterator[int]:
        return iter(self.ids)

    def __getitem__(self, number: int) -> File:
        file = self._files.get(number)
        if file is None:
            row = self._places[number]
            file = self._files[number] = File(*(self.columns[name][row] for name in File._fields))
        return file

    def every(self) -> list[File]:
        """Every file, made at once."""
        return list(map(File, *(self.columns[name] for name in File._fields)))

    @cached_property
    def by_path(self) -> dict[str, int]:
        """The id of each path."""
        return dict(zip(self.paths, self.ids, strict=True))

    @cached_property
    def kinds(self) -> dict[int, str]:
        """The kind of each file by its id."""
        return dict(zip(self.ids, self.columns["kind"], strict=True))

    @cached_property
    def of_kind(self) -> dict[str, set[int]]:
        """The ids of the files of each kind."""
        kinds = list(self.kinds.values())
        return {kind: set(compress(self.kinds, map(kind.__eq__, kinds))) for kind in set(kinds)}

    @cached_property
    def statistics(self) -> Statistics:
        """What BM25 needs to know of the lengths of the files."""
        return statistics(self.ids, self.columns["length"])

    @cached_property
    def segments(self) -> dict[int, int]:
        """The segment of each file by its id."""
        return dict(zip(self.ids, self.columns["segment"], strict=True))

    @cached_property
    def _places(self) -> dict[int, int]:
        return dict(zip(self.ids, range(len(self.ids)), strict=True))

    def differs(self, listed: Columns) -> bool:
        """Whether any file is new, gone, or may have changed since it was scanned. Every plan asks this."""
        columns = self.columns
        if (listed.paths, listed.sizes, listed.mtimes) != (columns["path"], columns["size"], columns["mtime"]):
            return True
        if max(columns["mtime"], default=0) < min(columns["scanned"], default=0) - COARSE_TICK:
            return False
        rows = zip(columns["mtime"], columns["scanned"], self.ids, strict=True)
        recent = (self[number] for mtime, scanned, number in rows if mtime >= scanned - COARSE_TICK)
        return any(differs(file.size, file.mtime, file) for file in recent)


def empty() -> FileTable:
    """The table of an index that holds nothing yet."""
    return FileTable(dict.fromkeys(File._fields, ()))


def read(db: sqlite3.Connection) -> FileTable:
    """Every indexed file, from the stored table or else from the rows of files. Raises ValueError for damage."""
    stored = dict(db.execute("SELECT name, value FROM roster"))
    if not stored:
        return _from_rows(files(db))
    if stored.pop("mark") != _checksum(stored):
        raise ValueError("the stored file table is damaged")
    numbers = {name: array("q", stored[name]) for name in _NUMBERS}
    names = {name: _decoded(stored[name]) for name in _NAMES}
    return FileTable({"path": stored["path"].decode().split("\0") if stored["path"] else [], **numbers, **names})


def keep(db: sqlite3.Connection) -> FileTable:
    """Like ``read``, and store the table so that the next reader need not build it."""
    with transaction(db):
        table = read(db)
        rows = {"path": "\0".join(table.paths).encode()}
        rows |= {name: array("q", table.columns[name]).tobytes() for name in _NUMBERS}
        rows |= {name: _encoded(table.columns[name]) for name in _NAMES}
        db.executemany("INSERT OR REPLACE INTO roster VALUES (?,?)", {**rows, "mark": _checksum(rows)}.items())
    return table


def forget(db: sqlite3.Connection) -> None:
    """Drop the stored table; call it with every write to the rows of files."""
    db.execute("DELETE FROM roster")


def _from_rows(rows: list[File]) -> FileTable:
    rows.sort(key=attrgetter("path"))
    columns = {name: list(map(attrgetter(name), rows)) for name in ("path", *_NUMBERS, *_NAMES)}
    return FileTable({name: array("q", column) if name in _NUMBERS else column for name, column in columns.items()})


def _encoded(names: Sequence[str]) -> bytes:
    """Encode a column of few distinct names: the names, a newline, then one byte for each row."""
    distinct = sorted(set(names))
    number = {name: place for place, name in enumerate(distinct)}
    return "\0".join(distinct).encode() + b"\n" + bytes(map(number.__getitem__, names))


def _decoded(encoded: bytes) -> list[str]:
    distinct, _, numbers = encoded.partition(b"\n")
    return list(map(distinct.decode().split("\0").__getitem__, numbers))


def _checksum(rows: Mapping[str, bytes]) -> int:
    mark = 0
    for name in ("path", *_NUMBERS, *_NAMES):
        mark = crc32(rows[name], mark)
    return mark
