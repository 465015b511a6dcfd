"""Embedding vectors of texts in SQLite, by content hash and model, and their cosine to a query."""

from __future__ import annotations

import contextlib
import math
import sqlite3
from array import array
from collections.abc import Callable, Iterable, Sequence
from hashlib import blake2b
from operator import mul
from typing import Any

Embed = Callable[[Sequence[str]], Sequence[Sequence[float]]]
"""Turns texts into vectors of one length, in the same order; may take long and raise what a request raises."""
Compare = Callable[[sqlite3.Connection, str, bytes], Iterable[tuple[bytes, float]]]
"""(key, cosine) of all vectors of a model in a database that have the length of the given one."""
WRITTEN_AT_ONCE = 64
SCHEMA = """CREATE TABLE IF NOT EXISTS vectors (model TEXT, hash BLOB, vector BLOB, PRIMARY KEY (model, hash))
  WITHOUT ROWID"""


def key_of(text: str) -> bytes:
    """The hash by which a text is stored."""
    return blake2b(text.encode("utf-8", "replace"), digest_size=16).digest()


class Vectors:
    """The vectors of one embedding model, in a shared database (the planner's index, memory's cache).

    Vectors are stored as 32-bit floats with length 1. Texts embedded before an interruption stay.
    """

    def __init__(self, db: sqlite3.Connection, model: str, embed: Embed) -> None:
        self._db, self.model, self._embed = db, model, embed
        db.execute(SCHEMA)

    def unknown(self, keys: Iterable[bytes]) -> set[bytes]:
        """The keys that have no vector yet."""
        stored = {row[0] for row in self._db.execute("SELECT hash FROM vectors WHERE model=?", (self.model,))}
        return set(keys) - stored

    def learn(self, texts: Iterable[str], advance: Callable[[int], None] = lambda done: None) -> int:
        """Embed the texts that have no vector yet. Returns how many; ``advance`` receives the number done so far."""
        texts_by_key = {key_of(text): text for text in texts}
        missing = sorted(self.unknown(texts_by_key))
        for start in range(0, len(missing), WRITTEN_AT_ONCE):
            batch = missing[start : start + WRITTEN_AT_ONCE]
            vectors = self._embed([texts_by_key[key] for key in batch])
            rows = [(self.model, key, _unit(vector)) for key, vector in zip(batch, vectors, strict=True)]
            self._db.executemany("INSERT OR REPLACE INTO vectors VALUES (?,?,?)", rows)
            advance(start + len(batch))
        return len(missing)

    def nearest(self, query: str, keys: Iterable[bytes] | None = None) -> dict[bytes, float]:
        """The cosine of the query to each text with a vector, for these keys or, if None, for all of this model."""
        self.learn([query])
        query_key = key_of(query)
        [(query_vector,)] = self._db.execute(
            "SELECT vector FROM vectors WHERE model=? AND hash=?", (self.model, query_key)
        )
        wanted = None if keys is None else set(keys)
        compare = next(iter(comparers(self._db).values()))
        scores = compare(self._db, self.model, query_vector)
        return {key: score for key, score in scores if wanted is None or key in wanted}

    def similar(self, texts: Sequence[str], query: str) -> list[float]:
        """The cosine of each text to the query; texts are embedded if needed.

        0 for a vector of another length: another model may have been served under the same name.
        """
        self.learn([*texts, query])
        keys = [key_of(text) for text in texts]
        scores = self.nearest(query, keys)
        return [scores.get(key, 0.0) for key in keys]

    def forget(self, keep: Iterable[bytes]) -> int:
        """Delete this model's vectors of all texts but those to ``keep``. Returns how many."""
        keys_to_keep = set(keep)
        stored = [row[0] for row in self._db.execute("SELECT hash FROM vectors WHERE model=?", (self.model,))]
        to_delete = [(self.model, key) for key in stored if key not in keys_to_keep]
        self._db.executemany("DELETE FROM vectors WHERE model=? AND hash=?", to_delete)
        return len(to_delete)


def _unit(vector: Sequence[float]) -> bytes:
    """The vector scaled to length 1; all zeros when that is not possible."""
    length = math.sqrt(sum(value * value for value in vector))
    can_scale = length > 0.0 and math.isfinite(length)
    return array("f", [value / length if can_scale else 0.0 for value in vector]).tobytes()


def comparers(db: sqlite3.Connection) -> dict[str, Compare]:
    """The available ways to compare a vector with those of a database, fastest first; all give the same result."""
    available: dict[str, Compare] = {"sqlite-vec": _by_sqlite} if _load_sqlite_vec(db) else {}
    if (numpy := _numpy()) is not None:
        available["numpy"] = lambda db, model, query_vector: _by_numpy(
            numpy, _stored(db, model, query_vector), query_vector
        )
    return available | {
        "plain": lambda db, model, query_vector: _by_python(_stored(db, model, query_vector), query_vector)
    }


def _stored(db: sqlite3.Connection, model: str, query_vector: bytes) -> sqlite3.Cursor:
    return db.execute("SELECT hash, vector FROM vectors WHERE model=? AND length(vector)=?", (model, len(query_vector)))


def _by_sqlite(db: sqlite3.Connection, model: str, query_vector: bytes) -> Iterable[tuple[bytes, float]]:
    rows = "SELECT hash, 1.0 - vec_distance_cosine(vector, ?) FROM vectors WHERE model=? AND length(vector)=?"
    return ((key, score or 0.0) for key, score in db.execute(rows, (query_vector, model, len(query_vector))))


def _by_python(rows: Iterable[tuple[bytes, bytes]], query_vector: bytes) -> Iterable[tuple[bytes, float]]:
    query = array("f")
    query.frombytes(query_vector)
    for key, vector in rows:
        other = array("f")
        other.frombytes(vector)
        yield key, sum(map(mul, query, other))


def _by_numpy(numpy: Any, rows: sqlite3.Cursor, query_vector: bytes) -> Iterable[tuple[bytes, float]]:
    query = numpy.frombuffer(query_vector, dtype=numpy.float32)
    while batch := rows.fetchmany(4096):
        table = numpy.frombuffer(b"".join(vector for _, vector in batch), dtype=numpy.float32).reshape(len(batch), -1)
        yield from zip((key for key, _ in batch), (table @ query).tolist(), strict=True)


def _numpy() -> Any:
    """The numpy package if it is installed, which is optional."""
    try:
        import numpy
    except ImportError:
        return None
    return numpy


def _load_sqlite_vec(db: sqlite3.Connection) -> bool:
    """Whether sqlite-vec works in this database, loading it if it is installed and Python can load extensions."""
    with contextlib.suppress(sqlite3.Error):
        db.execute("SELECT vec_version()")
        return True
    try:
        import sqlite_vec
    except ImportError:
        return False
    with contextlib.suppress(sqlite3.Error, AttributeError):
        db.enable_load_extension(True)  # noqa: FBT003 -- it takes no name
        sqlite_vec.load(db)
        db.enable_load_extension(False)  # noqa: FBT003
        return True
    return False
