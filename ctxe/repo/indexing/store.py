"""Reading and writing the index on disk: files, their details, and postings in segments that are added and merged."""

from __future__ import annotations

import json
import sqlite3
from array import array
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from functools import cached_property, partial
from typing import NamedTuple

from ctxe.domain.value import dataclass
from ctxe.repo.indexing.definition import Definition
from ctxe.repo.indexing.postings import BUCKETS, Packed, Posting, alive, by_bucket, joined, unpacked
from ctxe.repo.indexing.scan import Scanned, read_definitions
from ctxe.repo.indexing.units import Unit

_FINE_TICK, COARSE_TICK = 50_000_000, 2_000_000_000
"""Most nanoseconds between two ticks of a fine and of a coarse file system's clock."""


class File(NamedTuple):
    """One indexed file; ``length`` counts its terms."""

    id: int
    path: str
    size: int
    mtime: int
    scanned: int
    segment: int
    kind: str
    language: str
    lines: int
    length: int


def differs(size: int, mtime: int, old: File | None) -> bool:
    """Whether a file may have changed since it was scanned, judged by size and time; True for a new file.

    A file that was written just before the scan may have been written again within the same tick of the file system's
    clock, so it counts as changed. A time in whole milliseconds is taken for that of a coarse clock.
    """
    if old is None or old.size != size or old.mtime != mtime:
        return True
    return mtime >= old.scanned - (COARSE_TICK if mtime % 1_000_000 == 0 else _FINE_TICK)


@dataclass(frozen=True)
class Details:
    """The content of a file as the index stores it. ``line_tokens`` is empty until its lines are counted.

    Most files are only scored, so definitions (``written`` as JSON) and units (``places``, three numbers each) are
    decoded when they are asked for.
    """

    written: str
    imports: tuple[str, ...]
    places: Sequence[int]
    lengths: Sequence[int]
    line_tokens: Sequence[int]

    @cached_property
    def definitions(self) -> tuple[Definition, ...]:
        """The definitions in the order of their first lines."""
        return tuple(read_definitions(self.written))

    @cached_property
    def units(self) -> tuple[Unit, ...]:
        """The units, in the order of their numbers."""
        triples = zip(self.places[::3], self.places[1::3], self.places[2::3], strict=True)
        return tuple(Unit(*triple) for triple in triples)


def files(db: sqlite3.Connection) -> list[File]:
    """Every indexed file."""
    rows = db.execute("SELECT id,CAST(path AS TEXT),size,mtime,scanned,segment,kind,language,lines,length FROM files")
    return list(map(partial(tuple.__new__, File), rows))


def details(db: sqlite3.Connection, ids: Iterable[int]) -> dict[int, Details]:
    """The details of these files, by id."""
    details_by_id: dict[int, Details] = {}
    rows = db.execute("SELECT * FROM details WHERE id IN (SELECT value FROM json_each(?))", (json.dumps(list(ids)),))
    for number, definitions, imports, units, lengths, line_tokens in rows:
        details_by_id[number] = Details(
            definitions, tuple(imports.split("\0")) if imports else (),
            _unpacked("i", units), _unpacked("I", lengths), _unpacked("H", line_tokens),
        )  # fmt: skip
    return details_by_id


def _unpacked(code: str, blob: bytes) -> array[int]:
    values: array[int] = array(code)
    values.frombytes(blob)
    return values


def add_segment(
    db: sqlite3.Connection, number: int, scanned: Sequence[Scanned], packed: Packed, counted: Mapping[int, bytes]
) -> None:
    """Store scanned files, whose rows in ``files`` exist already, and their postings as one segment.

    ``counted`` holds the tokens of each line, 16 bits each, for files whose lines were counted.
    """
    db.execute("INSERT INTO segments VALUES (?,?)", (number, len(scanned)))
    db.executemany(
        "UPDATE files SET segment=?,kind=?,language=?,lines=?,length=?,digest=? WHERE id=?",
        ((number, file.kind, file.language, file.lines, file.length, file.digest, file.id) for file in scanned),
    )
    db.executemany(
        "INSERT OR REPLACE INTO details VALUES (?,?,?,?,?,?)",
        (
            (file.id, file.definitions, "\0".join(file.imports), file.units, file.lengths, counted.get(file.id, b""))
            for file in scanned
        ),
    )
    rows = ((number * BUCKETS + place, blob) for place, blob in sorted(packed.items()))
    db.executemany("INSERT INTO postings VALUES (?,?)", rows)


def postings(
    db: sqlite3.Connection, terms: Iterable[str], current: Mapping[int, int], without_stale: Set[int]
) -> dict[str, Posting]:
    """Heads and units of every term that occurs.

    ``current`` maps a file to the segment that holds its present postings; ``without_stale`` are the segments without
    stale postings.
    """
    wanted = by_bucket(terms)
    segments = [number for (number,) in db.execute("SELECT id FROM segments")]
    places = json.dumps([number * BUCKETS + place for number in segments for place in sorted(wanted)])
    postings_by_term: dict[str, Posting] = {}
    query = "SELECT place, packed FROM postings WHERE place IN (SELECT value FROM json_each(?))"
    for key, blob in db.execute(query, (places,)):
        segment, place = divmod(key, BUCKETS)
        for term, posting in unpacked(blob, wanted[place]):
            heads, units = posting if segment in without_stale else alive(posting, segment, current)
            if term in postings_by_term:
                postings_by_term[term][0].extend(heads)
                postings_by_term[term][1].extend(units)
            elif heads:
                postings_by_term[term] = (heads, units)
    return postings_by_term


def whole_segments(db: sqlite3.Connection, current: dict[int, int]) -> frozenset[int]:
    """Segments none of whose files has changed since they were written."""
    alive = Counter(current.values())
    return frozenset(number for number, count in db.execute("SELECT id, files FROM segments") if alive[number] == count)


def merge_small_segments(db: sqlite3.Connection, largest: int = 1000) -> None:
    """Merge all segments of at most ``largest`` files into the newest of them, dropping stale postings."""
    small = [number for (number,) in db.execute("SELECT id FROM segments WHERE files<=? ORDER BY id", (largest,))]
    if len(small) < 2:
        return
    current = dict(db.execute("SELECT id, segment FROM files"))
    blobs_by_bucket: dict[int, list[tuple[int, bytes]]] = {}
    for number in small:
        span = (number * BUCKETS, (number + 1) * BUCKETS)
        for key, blob in db.execute("SELECT place, packed FROM postings WHERE place>=? AND place<?", span):
            blobs_by_bucket.setdefault(key % BUCKETS, []).append((number, blob))
        db.execute("DELETE FROM postings WHERE place>=? AND place<?", span)
    chosen = (json.dumps(small),)
    db.execute("DELETE FROM segments WHERE id IN (SELECT value FROM json_each(?))", chosen)
    db.execute("UPDATE files SET segment=? WHERE segment IN (SELECT value FROM json_each(?))", (small[-1], *chosen))
    count = db.execute("SELECT count(*) FROM files WHERE segment=?", (small[-1],)).fetchone()[0]
    db.execute("INSERT INTO segments VALUES (?,?)", (small[-1], count))
    rows = ((small[-1] * BUCKETS + place, joined(blobs, current)) for place, blobs in sorted(blobs_by_bucket.items()))
    db.executemany("INSERT INTO postings VALUES (?,?)", rows)
