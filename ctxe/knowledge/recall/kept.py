"""Postings kept on disk: a SQLite file in the cache that any process may add to and that losing costs nothing."""

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
from ctxe.knowledge.recall.numbered import make_anew, newest
from ctxe.storage.databases import alone

if TYPE_CHECKING:
    import sqlite3

VERSION = f"4 {sys.byteorder} {array('I').itemsize}"
"""Rises when readings change what they hold; numbers are kept as this machine has them."""
MOST_SEGMENTS = 12
"""Additions after which the pieces of each term's postings are joined."""
WORN = 8
"""Slots given out for each entry that is there from which on the file is made anew: most are of entries long gone."""
MOST_TRIES = 4
"""Times that a file is opened which other processes make anew meanwhile."""
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
    """What is kept of an entry itself: its slot, what it is known by, its content hash, its lengths in terms."""

    slot: int
    key: str
    mark: str
    lengths: tuple[int, int, int]


class Damaged(Exception):
    """What stands in the file makes no sense."""


class StoredPostings:
    """Postings in a file, for several threads, one at a time.

    What cannot be written is not kept. That postings cannot be read is told, though: entries would go unfound.
    """

    def __init__(self, db: sqlite3.Connection, generation: int) -> None:
        """``generation`` is the state of the file that the caller knows; another process's addition raises it."""
        from ctxe.storage.databases import owned

        self._db = owned(self, db)
        self._generation = generation

    @classmethod
    def open(cls, path: Path) -> StoredPostings | None:
        """The postings kept under this name, made anew when damaged or of another version; None if there can be none.

        A file that is made anew gets the next number (``recall-1.db``), and the one before goes. Its log and its index
        have names made of its own: two processes that make it anew at once never take away each other's.
        """
        import sqlite3

        try:
            for _ in range(MOST_TRIES):
                number, place = newest(path)
                alone(place)
                kept = cls._opened(place)
                if kept is None:
                    make_anew(path, number)
                elif newest(path) == (number, place):
                    return kept
                else:
                    kept.close()
        except (sqlite3.Error, StoreError, OSError):
            return None
        return None

    @classmethod
    def _opened(cls, place: Path) -> StoredPostings | None:
        """The postings in a file; None when they are of no use. Raises sqlite3.OperationalError when it is not free."""
        import sqlite3

        db = sqlite3.connect(place, timeout=1.0, isolation_level=None, check_same_thread=False)
        try:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = OFF")
            for statement in SCHEMA:
                db.execute(statement)
            db.execute("INSERT OR IGNORE INTO fact VALUES ('version', ?)", (VERSION,))
            facts = dict(db.execute("SELECT name, value FROM fact"))
            (held,) = db.execute("SELECT count(*) FROM entry").fetchone()
            worn = int(facts.get("free", 0)) > WORN * (held + MOST_SEGMENTS)
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
        """Let go of the file."""
        self._db.close()

    def rows(self) -> tuple[list[StoredEntry], int]:
        """Every entry that is kept, and the first slot that is free."""
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
        """Slots that have a term and how often, piece by piece. Raises Damaged."""
        import sqlite3

        select = "SELECT slots, times, crc FROM posting WHERE term = ? ORDER BY segment"
        try:
            return [_sound(*piece) for piece in self._db.execute(select, [_bytes(term)])]
        except (sqlite3.Error, ValueError, TypeError) as error:
            raise Damaged(str(error)) from error

    def spoil(self) -> None:
        """Let whoever opens the file next make it anew, and let go of it."""
        import sqlite3

        with contextlib.suppress(sqlite3.Error):
            self._db.execute("UPDATE fact SET value = 'damaged' WHERE name = 'version'")
        self.close()

    def claim(self) -> bool:
        """Become the one who may add, until ``add`` is called; False when another process is, or has been meanwhile."""
        import sqlite3

        try:
            self._db.execute("BEGIN IMMEDIATE")
            known = self._db.execute("SELECT value FROM fact WHERE name = 'generation'").fetchone()
            if (int(known[0]) if known else 0) == self._generation:
                return True
        except (sqlite3.Error, ValueError, TypeError):
            pass
        self._give_up()
        return False

    def add(self, rows: Sequence[StoredEntry], postings: Mapping[str, Posting], gone: Sequence[int]) -> bool:
        """Keep entries with their postings and forget others, after ``claim``; False when it failed."""
        import sqlite3

        try:
            self._write(rows, postings, gone)
            self._db.execute("COMMIT")
        except (sqlite3.Error, ValueError, TypeError):
            self._give_up()
            return False
        self._generation += 1
        return True

    def _give_up(self) -> None:
        import sqlite3

        with contextlib.suppress(sqlite3.Error):
            self._db.execute("ROLLBACK")

    def _write(self, rows: Sequence[StoredEntry], postings: Mapping[str, Posting], gone: Sequence[int]) -> None:
        segment = self._generation + 1
        self._db.executemany("DELETE FROM entry WHERE slot = ?", ((slot,) for slot in gone))
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
            self._join(segment)

    def _join(self, segment: int) -> None:
        """Make one piece of each term's postings. Entries that are gone stay in it: another process may hold them.

        Raises ValueError and TypeError.
        """
        found = self._db.execute("SELECT term, slots, times, crc FROM posting ORDER BY term, segment").fetchall()
        self._db.execute("DELETE FROM posting")
        self._db.executemany(PUT, _joined(found, segment))


def _joined(found: Iterable[tuple[bytes, bytes, bytes, int]], segment: int) -> Iterator[_Row]:
    for term, group in groupby(found, key=lambda row: row[0]):
        pieces = [_sound(slots, times, crc) for _, slots, times, crc in group]
        having, counts = (b"".join(part.tobytes() for part in parts) for parts in zip(*pieces, strict=True))
        yield _row(term, segment, having, counts)


def _row(term: bytes, segment: int, slots: bytes, times: bytes) -> _Row:
    """A piece of a term's postings as it is stored, with a checksum: SQLite does not notice every torn page."""
    return term, segment, slots, times, crc32(times, crc32(slots))


def _sound(slots: bytes, times: bytes, crc: int) -> Posting:
    """A piece of postings as it was stored. Raises ValueError and TypeError."""
    if crc32(times, crc32(slots)) != crc:
        raise ValueError("a checksum does not fit")
    return _array("I", slots), _array("B", times)


def _bytes(words: str) -> bytes:
    """Text as SQLite takes any of it, lone surrogates of odd file names included."""
    return words.encode("utf-8", "surrogatepass")


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogatepass")


def _array(code: str, data: bytes) -> array[int]:
    made: array[int] = array(code)
    made.frombytes(data)
    return made
