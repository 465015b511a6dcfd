"""Postings packed by bucket: many terms share one blob, so that an index of any size is written in few rows."""

from __future__ import annotations

import sys
from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Set
from functools import partial
from zlib import crc32

BUCKETS = 4096
"""Buckets of a segment; the hash of a term says which is its."""
_LOW, _HIGH = (0, 32) if sys.byteorder == "little" else (32, 0)

Posting = tuple["array[int]", "array[int]"]
"""Heads and units of one term, in 32-bit numbers.

Heads are pairs (file id, times << 16 | number of units), units are (unit << 8 | times), in the order of the heads."""
Packed = dict[int, bytes]
"""For each bucket the packed postings of its terms."""


def bucket(term: str) -> int:
    """The bucket of a term."""
    return crc32(term.encode("utf-8", "replace")) % BUCKETS


class GrowingPostings:
    """Postings that grow file by file."""

    def __init__(self) -> None:
        self.heads: defaultdict[str, array[int]] = defaultdict(partial(array, "Q"))
        self.units: defaultdict[str, array[int]] = defaultdict(partial(array, "I"))
        self.size = 0

    def add(self, number: int, counts: Mapping[str, int]) -> None:
        """Add the heads of a file whose ``units`` are filled in. ``counts``: times << 16 | number of units, by term."""
        heads = self.heads
        mark = number << _LOW
        for term, packed in counts.items():
            value = packed if packed < 1 << 32 else 0xFFFF0000 | packed & 0xFFFF
            heads[term].append(mark | value << _HIGH)
        self.size += len(counts)

    def packed(self) -> Packed:
        """All postings, ready to be stored."""
        terms_by_bucket: defaultdict[int, list[str]] = defaultdict(list)
        for term in self.heads:
            terms_by_bucket[bucket(term)].append(term)
        return {number: _packed(terms, self.heads, self.units) for number, terms in terms_by_bucket.items()}


def _packed(terms: list[str], heads: Mapping[str, array[int]], units: Mapping[str, array[int]]) -> bytes:
    """One blob: checksum, number of terms, length of the names, lengths of each term's arrays, names, arrays."""
    terms = [term for term in terms if "\0" not in term]
    names = "\0".join(terms).encode("utf-8", "replace")
    blobs = [posting[term].tobytes() for term in terms for posting in (heads, units)]
    sizes = array("I", (len(terms), len(names), *map(len, blobs)))
    packed = b"".join((sizes.tobytes(), names, *blobs))
    return crc32(packed).to_bytes(4, "little") + packed


def unpacked(blob: bytes, wanted: Set[str] | None = None) -> Iterator[tuple[str, Posting]]:
    """The terms of a packed bucket with their postings, all or only the wanted ones. Raises ValueError for damage."""
    mark, blob = blob[:4], blob[4:]
    if crc32(blob).to_bytes(4, "little") != mark:
        raise ValueError("a bucket of postings is damaged")
    count, length = _numbers(blob[:8])
    sizes = _numbers(blob[8 : 8 + 8 * count])
    offset = 8 + 8 * count + length
    terms = blob[offset - length : offset].decode("utf-8", "replace").split("\0")
    for term, head, unit in zip(terms, sizes[::2], sizes[1::2], strict=False):
        if wanted is None or term in wanted:
            yield term, (_numbers(blob[offset : offset + head]), _numbers(blob[offset + head : offset + head + unit]))
        offset += head + unit


def _numbers(blob: bytes) -> array[int]:
    values = array("I")
    values.frombytes(blob)
    return values


def joined(blobs: Iterable[tuple[int, bytes]], current: Mapping[int, int]) -> bytes:
    """The blobs of one bucket from several segments as one blob, without stale postings (see ``alive``)."""
    heads: defaultdict[str, array[int]] = defaultdict(partial(array, "I"))
    units: defaultdict[str, array[int]] = defaultdict(partial(array, "I"))
    for segment, blob in blobs:
        for term, posting in unpacked(blob):
            head, unit = alive(posting, segment, current)
            if head:
                heads[term].extend(head)
                units[term].extend(unit)
    return _packed(list(heads), heads, units)


def alive(posting: Posting, segment: int, current: Mapping[int, int]) -> Posting:
    """The postings of a segment without stale ones. ``current`` maps a file to the segment that holds it by now."""
    heads, units = posting
    kept_heads, kept_units, place = array("I"), array("I"), 0
    for number, packed in zip(heads[::2], heads[1::2], strict=True):
        count = packed & 0xFFFF
        if current.get(number) == segment:
            kept_heads.extend((number, packed))
            kept_units.extend(units[place : place + count])
        place += count
    return kept_heads, kept_units


def by_bucket(terms: Iterable[str]) -> dict[int, set[str]]:
    """The terms by their buckets."""
    terms_by_bucket: dict[int, set[str]] = {}
    for term in terms:
        terms_by_bucket.setdefault(bucket(term), set()).add(term)
    return terms_by_bucket
