"""Postings on disk: a SQLite file in the cache that any process may append to and that can be rebuilt at any time."""

from __future__ import annotations

import contextlib
import sys
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING
from zlib import crc32

from ctxe.domain.errors import StoreError
from ctxe.domain.value import dataclass
from ctxe.knowledge.recall.numbered_files import newest_file, replace_file
from ctxe.storage.databases import create_private

if TYPE_CHECKING:
    import sqlite3

VERSION = f"4 {sys.byteorder} {array('I').itemsize}"
"""Changes whenever readings hold something else. Numbers are stored in this machine's byte order and size."""
MOST_SEGMENTS = 12
"""Appends after which the segments of each term's postings are merged."""
WORN = 8
"""Slots allocated per existing entry above which the file is rebuilt, since most then belong to removed entries."""
MOST_TRIES = 4
"""Attempts to open a file that other processes rebuild at the same time."""
SCHEMA = (
    "CREATE TABLE IF NOT EXISTS fact (name TEXT PRIMARY KEY, value) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS entry "
    "(slot INTEGER PRIMARY KEY, key BLOB, mark TEXT, words INTEGER, names INTEGER, files INTEGER)",
    "CREATE TABLE IF NOT EXISTS posting "
    "(term BLOB, segment INTEGER, slots BLOB, times BLOB, crc INTEGER, PRIMARY KEY (term, segment)) WITHOUT ROWID",
)

PUT = "INSERT INTO posting VALUES (?, ?, ?, ?, ?)"

Posting = tuple["array[int]", "array[int]"]
_Row = tuple[bytes, int, bytes, bytes, int]


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """A stored entry: its slot, its key, its content hash, and its number of terms in each channel."""

    slot: int
    key: str
    mark: str
    lengths: tuple[int, int, int]


class Damaged(Exception):
    """The file's content is inconsistent."""


class StoredPostings:
    """Postings in a file, used by several threads but by one at a time.

    Failed writes are ignored, failed reads are raised: entries would otherwise go unfound.
    """

    def __init__(self, db: sqlite3.Connection, generation: int) -> None:
        """``generation`` is the file's generation as the caller knows it; every append by any process raises it."""
        from ctxe.storage.databases import close_with_owner

        self._db = close_with_owner(self, db)
        self._generation = generation

    @classmethod
    def open(cls, path: Path) -> StoredPostings | None:
        """The postings stored at ``path``, rebuilt if damaged or of another version; None if that is impossible.

        A rebuilt file gets the next number (``recall-1.db``), and the one before is deleted. Its write-ahead log and
        shared memory are thus named after it alone: two processes that rebuild at once never delete each other's.
        """
        import sqlite3

        try:
            for _ in range(MOST_TRIES):
                number, place = newest_file(path)
                create_private(place)
                kept = cls._opened(place)
                if kept is None:
                    replace_file(path, number)
                elif newest_file(path) == (number, place):
                    return kept
                else:
                    kept.close()
        except (sqlite3.Error, StoreError, OSError):
            return None
        return None

    @classmethod
    def _opened(cls, place: Path) -> StoredPostings | None:
        """The postings in a file; None if they are unusable. Raises sqlite3.OperationalError if the file is locked."""
        import sqlite3

        db = sqlite3.connect(place, timeout=1.0, isolation_level=None, check_same_thread=False)
        try:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = OFF")
            for statement in SCHEMA:
                db.execute(statement)
            db.execute("INSERT OR IGNORE INTO fact VALUES ('version', ?)", (VERSION,))
            facts = dict(db.execute("SELECT name, value FROM fact"))
            (entries,) = db.execute("SELECT count(*) FROM entry").fetchone()
            worn = int(facts.get("free", 0)) > WORN * (entries + MOST_SEGMENTS)
            if facts["version"] == VERSION and not worn:
                return cls(db, int(facts.get("generation", 0)))
        except sqlite3.OperationalError:
            db.close()
            raise
        except (sqlite3.DatabaseError, KeyError, ValueError, TypeError):
            pass
        db.close()
        return None

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def rows(self) -> tuple[list[StoredEntry], int]:
        """Every stored entry, and the first free slot."""
        import sqlite3

        try:
            found = self._db.execute("SELECT slot, key, mark, words, names, files FROM entry").fetchall()
            free = self._db.execute("SELECT value FROM fact WHERE name = 'free'").fetchone()
            rows = [
                StoredEntry(slot, _text(key), mark, (words, names, files))
                for slot, key, mark, words, names, files in found
            ]
            return rows, int(free[0]) if free else 0
        except (sqlite3.Error, ValueError, TypeError, AttributeError):
            self._generation = -1
            return [], 0

    def postings(self, term: str) -> list[Posting]:
        """The slots that have a term and its count in each, segment by segment. Raises Damaged."""
        import sqlite3

        select = "SELECT slots, times, crc FROM posting WHERE term = ? ORDER BY segment"
        try:
            return [_checked(*piece) for piece in self._db.execute(select, [_bytes(term)])]
        except (sqlite3.Error, ValueError, TypeError) as error:
            raise Damaged(str(error)) from error

    def spoil(self) -> None:
        """Close the file, and mark it so that whoever opens it next rebuilds it."""
        import sqlite3

        with contextlib.suppress(sqlite3.Error):
            self._db.execute("UPDATE fact SET value = 'damaged' WHERE name = 'version'")
        self.close()

    def claim(self) -> bool:
        """Lock the file for one ``add``; False if another process holds the lock or has appended in the meantime."""
        import sqlite3

        try:
            self._db.execute("BEGIN IMMEDIATE")
            known = self._db.execute("SELECT value FROM fact WHERE name = 'generation'").fetchone()
            if (int(known[0]) if known else 0) == self._generation:
                return True
        except (sqlite3.Error, ValueError, TypeError):
            pass
        self._rollback()
        return False

    def add(self, rows: Sequence[StoredEntry], postings: Mapping[str, Posting], gone: Sequence[int]) -> bool:
        """Store entries with their postings and delete others, after ``claim``; False if that failed."""
        import sqlite3

        try:
            self._write(rows, postings, gone)
            self._db.execute("COMMIT")
        except (sqlite3.Error, ValueError, TypeError):
            self._rollback()
            return False
        self._generation += 1
        return True

    def _rollback(self) -> None:
        import sqlite3

        with contextlib.suppress(sqlite3.Error):
            self._db.execute("ROLLBACK")

    def _write(self, rows: Sequence[StoredEntry], postings: Mapping[str, Posting], removed: Sequence[int]) -> None:
        """Write the rows in the open transaction; merge segments every MOST_SEGMENTS generations."""
        segment = self._generation + 1
        self._db.executemany("DELETE FROM entry WHERE slot = ?", ((slot,) for slot in removed))
        self._db.executemany(
            "INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?)",
            ((row.slot, _bytes(row.key), row.mark, *row.lengths) for row in rows),
        )
        self._db.executemany(
            PUT, (_row(_bytes(term), segment, s.tobytes(), t.tobytes()) for term, (s, t) in sorted(postings.items()))
        )
        facts = {"generation": segment} | ({"free": rows[-1].slot + 1} if rows else {})
        self._db.executemany("INSERT OR REPLACE INTO fact VALUES (?, ?)", facts.items())
        if segment % MOST_SEGMENTS == 0:
            self._merge_segments(segment)

    def _merge_segments(self, segment: int) -> None:
        """Merge the segments of each term's postings. Removed entries stay: another process may still use them.

        Raises ValueError and TypeError.
        """
        found = self._db.execute("SELECT term, slots, times, crc FROM posting ORDER BY term, segment").fetchall()
        self._db.execute("DELETE FROM posting")
        self._db.executemany(PUT, _merged_rows(found, segment))


def _merged_rows(found: Iterable[tuple[bytes, bytes, bytes, int]], segment: int) -> Iterator[_Row]:
    for term, group in groupby(found, key=lambda row: row[0]):
        pieces = [_checked(slots, times, crc) for _, slots, times, crc in group]
        having, counts = (b"".join(part.tobytes() for part in parts) for parts in zip(*pieces, strict=True))
        yield _row(term, segment, having, counts)


def _row(term: bytes, segment: int, slots: bytes, times: bytes) -> _Row:
    """A segment of a term's postings as a table row, with a checksum: SQLite does not notice every torn page."""
    return term, segment, slots, times, crc32(times, crc32(slots))


def _checked(slots: bytes, times: bytes, crc: int) -> Posting:
    """A segment of postings from its row. Raises ValueError and TypeError."""
    if crc32(times, crc32(slots)) != crc:
        raise ValueError("a checksum does not fit")
    return _array("I", slots), _array("B", times)


def _bytes(words: str) -> bytes:
    """The text as bytes: SQLite rejects strings with lone surrogates, which odd file names contain."""
    return words.encode("utf-8", "surrogatepass")


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogatepass")


def _array(code: str, data: bytes) -> array[int]:
    made: array[int] = array(code)
    made.frombytes(data)
    return made
