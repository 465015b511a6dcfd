"""All that the index keeps of one file, made from its path and text alone, and the postings of a batch of files."""

from __future__ import annotations

import hashlib
import json
import re
from array import array
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from itertools import chain
from typing import TYPE_CHECKING

from ctxe.lexical.words import path_terms, terms
from ctxe.repo.files import minified
from ctxe.repo.indexing.definition import Definition
from ctxe.repo.indexing.units import Unit, cut
from ctxe.repo.kinds import kind, language

if TYPE_CHECKING:
    from ctxe.repo.indexing.symbols import Syntax

DEFINED, PATH, NAMED, STEM = "\x01", "\x02", "\x03", "\x04"
"""Marks in front of a term: a whole defined name, a word of the path, a word of a defined name, a file name's stem."""
KEYWORDS = frozenset(
    re.findall(
        r"\w+",
        """self this return def import none null nil true false const let var func fn public private void
        int new if else end class function err""",
    )
)
"""Terms that stand in nearly every file of some language; "static" or "default" may be what a task is about."""
HOLLOW = frozenset(("__init__", "index", "mod", "lib", "main", "package", "__main__"))
"""File names that stand for their folder."""
CLOSELY = ("source", "config", "doc")
"""Kinds of files that are parsed; of tests and other people's code a skim is enough."""
MOST_TIMES = 255
MOST_WORDS = 1 << 18
"""Words whose terms are remembered."""
LARGE_SETTINGS = 60_000
"""Characters above which settings are data: known by name only."""


@dataclass(frozen=True, slots=True)
class Scanned:
    """One file as the index keeps it. Blobs are arrays of 32-bit numbers.

    ``units`` holds (definition, first line, last line) in a row for each unit, ``lengths`` its number of terms.
    """

    id: int
    language: str
    kind: str
    digest: bytes
    lines: int
    length: int
    definitions: str = "[]"
    imports: tuple[str, ...] = ()
    units: bytes = b""
    lengths: bytes = b""


_WORD = re.compile(r"\w+")

Postings = dict[str, tuple[bytes, bytes]]
"""For each term: pairs (file id, times << 16 | units) and, in the same order, (unit << 8 | times), 32 bits each."""


class Batch:
    """Files scanned one after another; their postings grow together, ready for the index."""

    def __init__(self) -> None:
        self.files: list[Scanned] = []
        self._heads: dict[str, list[int]] = {}
        self._units: dict[str, list[int]] = {}

    def postings(self) -> Postings:
        """The postings of all files so far."""
        units = self._units
        return {
            term: (array("I", heads).tobytes(), array("I", units[term]).tobytes())
            for term, heads in self._heads.items()
        }

    def add(self, number: int, path: str, text: str | None) -> None:
        """Scan one file; a ``text`` of None, data, or minified text gives what its path says and no more."""
        spoken, what = language(path), kind(path)
        found: dict[str, list[int]] = {PATH + term: [1] for term in set(path_terms(path))}
        found[STEM + stem_of(path)] = [1]
        if text is None or what == "data" or minified(text) or (spoken == "settings" and len(text) > LARGE_SETTINGS):
            mark = digest(text or "")
            self.files.append(Scanned(number, spoken, "vendored" if what == "vendored" else "data", mark, 0, 1))
        else:
            self.files.append(self._read(number, spoken, what, text, found))
        self._post(number, found)

    def _read(self, number: int, spoken: str, what: str, text: str, found: dict[str, list[int]]) -> Scanned:
        from ctxe.repo.indexing.symbols import read_syntax, skim  # not where the index is only asked

        lines = text.split("\n")
        syntax = read_syntax(spoken, text) if what in CLOSELY else skim(spoken, text)
        units, owner = cut(syntax.definitions, len(lines))
        lengths = _count_terms(units, owner, lines, syntax.definitions, found)
        if what != "doc":
            _count_names(units, syntax.definitions, found)
        return Scanned(
            number, spoken, what, digest(text), len(lines), sum(lengths), written(syntax), syntax.imports,
            array("i", (n for unit in units for n in (unit.definition, unit.first, unit.last))).tobytes(),
            lengths.tobytes(),
        )  # fmt: skip

    def _post(self, number: int, found: dict[str, list[int]]) -> None:
        heads, units = self._heads, self._units
        for term, where in found.items():
            count = len(where)
            times = where[0] & 255
            if count > 1:
                times = sum([packed & 255 for packed in where])
            packed = (times if times < 65535 else 65535) << 16 | count
            if term in heads:
                heads[term] += (number, packed)
                units[term] += where
            else:
                heads[term] = [number, packed]
                units[term] = where


def stem_of(path: str) -> str:
    """The file name without its extensions, in lower case; that of the folder for names that say nothing."""
    folder, _, name = path.rpartition("/")
    stem = name.lstrip(".").partition(".")[0].lower()
    return folder.rpartition("/")[2].lower() if folder and stem in HOLLOW else stem


def digest(text: str) -> bytes:
    """Content hash of a text, 16 bytes."""
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=16).digest()


def written(syntax: Syntax) -> str:
    """Definitions as JSON; ``read_definitions`` is the way back."""
    rows = [(d.name, d.kind, d.first, d.head, d.last, d.scope) for d in syntax.definitions]
    return json.dumps(rows, separators=(",", ":"))


def read_definitions(text: str) -> list[Definition]:
    """Definitions from what ``written`` made."""
    return [Definition(*row) for row in json.loads(text)]


def _count_terms(
    units: list[Unit],
    owner: list[int],
    lines: list[str],
    definitions: Iterable[Definition],
    found: dict[str, list[int]],
) -> array[int]:
    """Fill in the terms of every unit (its own lines, and once more its title); the number of terms of each."""
    texts: list[list[str]] = [[] for _ in units]
    for line, unit in zip(lines, owner, strict=True):
        texts[unit].append(line)
    titles = [definition.title for definition in definitions]
    lengths = array("I")
    for number, own in enumerate(texts):
        bag = bag_of("\n".join(own))
        lengths.append(sum(bag.values()))
        if units[number].definition >= 0:
            bag.update(bag_of(titles[units[number].definition]))
        mark = number << 8
        for term, times in bag.items():
            packed = mark | (times if times < MOST_TIMES else MOST_TIMES)
            if term in found:
                found[term].append(packed)
            else:
                found[term] = [packed]
    return lengths


class _Terms(dict[str, tuple[str, ...]]):
    """The search terms of a word, keywords left out; filled as words come."""

    def __missing__(self, word: str) -> tuple[str, ...]:
        found = self[word] = tuple(term for term in terms(word) if term not in KEYWORDS)
        return found


@cache
def _known() -> _Terms:
    return _Terms()


def bag_of(text: str) -> Counter[str]:
    """How often each search term occurs in a text, keywords left out."""
    known = _known()
    if len(known) > MOST_WORDS:
        known.clear()
    return Counter(chain.from_iterable(map(known.__getitem__, _WORD.findall(text))))


def _count_names(units: list[Unit], definitions: Iterable[Definition], found: dict[str, list[int]]) -> None:
    """Fill in defined names: whole, and by their words."""
    place = {unit.definition: number for number, unit in enumerate(units)}
    names: dict[tuple[str, int], int] = {}
    known = _known()
    for number, definition in enumerate(definitions):
        unit = place.get(number, 0)
        for term in (DEFINED + definition.name.lower(), *{NAMED + term for term in known[definition.name]}):
            names[term, unit] = names.get((term, unit), 0) + 1
    for (term, unit), times in sorted(names.items()):
        found.setdefault(term, []).append(unit << 8 | min(times, MOST_TIMES))
