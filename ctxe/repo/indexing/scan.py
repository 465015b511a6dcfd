"""All that the index keeps of one file, made from its path and text alone, and the postings of a batch of files."""

from __future__ import annotations

import hashlib
import json
import re
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from ctxe.lexical.memo import Memo
from ctxe.lexical.words import analyse, path_terms
from ctxe.repo.files import minified
from ctxe.repo.indexing.definition import Definition
from ctxe.repo.indexing.postings import GrowingPostings
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


class Scanned(NamedTuple):
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


_SPACE, _FOREIGN = re.compile(r"[^\w\n]+"), re.compile(r"([^\x00-\x7f]+)")
_SPACES = {code: " " for code in range(128) if not (chr(code).isalnum() or chr(code) in "_\n")}
"""What stands between words of plain ASCII, newlines left out."""


class Batch:
    """Files scanned one after another; their postings grow together, ready for the index."""

    def __init__(self) -> None:
        self.files: list[Scanned] = []
        self.postings = GrowingPostings()

    def add(self, number: int, path: str, text: str | None) -> Scanned:
        """Scan one file; a ``text`` of None, data, or minified text gives what its path says and no more."""
        spoken, what = language(path), kind(path)
        seen: dict[str, int] = {}
        for term in dict.fromkeys([*(PATH + term for term in path_terms(path)), STEM + stem_of(path)]):
            self.postings.units[term].append(1)
            seen[term] = 1 << 16 | 1
        if text is None or what == "data" or minified(text) or (spoken == "settings" and len(text) > LARGE_SETTINGS):
            mark = digest(text or "")
            found = Scanned(number, spoken, "vendored" if what == "vendored" else "data", mark, 0, 1)
        else:
            found = self._read(number, spoken, what, text, seen)
        self.files.append(found)
        self.postings.add(number, seen)
        return found

    def _read(self, number: int, spoken: str, what: str, text: str, seen: dict[str, int]) -> Scanned:
        from ctxe.repo.indexing.symbols import read_syntax, skim  # not where the index is only asked

        syntax = read_syntax(spoken, text) if what in CLOSELY else skim(spoken, text)
        lines = text.split("\n")
        units, owner = cut(syntax.definitions, len(lines))
        texts = _texts(owner, len(units), _spaced(text).split("\n"))
        named = _names(units, syntax.definitions) if what != "doc" else {}
        lengths = _count_terms(units, texts, syntax.definitions, named, self.postings.units, seen)
        return Scanned(
            number, spoken, what, digest(text), len(lines), sum(lengths), written(syntax), syntax.imports,
            array("i", chain.from_iterable(units)).tobytes(), lengths.tobytes(),
        )  # fmt: skip


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
    return json.dumps(syntax.definitions, separators=(",", ":"))


def read_definitions(text: str) -> list[Definition]:
    """Definitions from what ``written`` made."""
    return [Definition(*row) for row in json.loads(text)]


def _texts(owner: list[int], count: int, lines: list[str]) -> list[str]:
    """The own lines of each unit."""
    texts: list[list[str]] = [[] for _ in range(count)]
    for line, unit in zip(lines, owner, strict=True):
        texts[unit].append(line)
    return ["\n".join(own) for own in texts]


def _count_terms(
    units: list[Unit],
    texts: list[str],
    definitions: Sequence[Definition],
    named: Mapping[int, Iterable[str]],
    postings: dict[str, array[int]],
    seen: dict[str, int],
) -> array[int]:
    """Post the terms of every unit (its own words, once more its title, its names); the number of its own words."""
    lengths = array("I")
    get = seen.get
    for number, text in enumerate(texts):
        spoken = _terms_of(text)
        lengths.append(len(spoken))
        if units[number].definition >= 0:
            spoken += _title_terms(definitions[units[number].definition])
        spoken += named.get(number, ())
        mark = number << 8
        for term, times in Counter(spoken).items():
            fits = times if times < MOST_TIMES else MOST_TIMES
            postings[term].append(mark | fits)
            seen[term] = get(term, 0) + (fits << 16 | 1)
    return lengths


@cache
def _known() -> Memo[str, tuple[str, ...]]:
    """The search terms of a word, keywords left out."""
    return Memo(lambda word: tuple([term for term in analyse(word) if term not in KEYWORDS]), MOST_WORDS)


def _spaced(text: str) -> str:
    """The text with nothing but blanks and newlines between its words."""
    if text.isascii():
        return text.translate(_SPACES)
    # Most texts that are not plain ASCII are so but for a few signs.
    pieces = _FOREIGN.split(text)
    return "".join([one.translate(_SPACES) if one.isascii() else _SPACE.sub(" ", one) for one in pieces])


def _terms_of(spaced: str) -> list[str]:
    """The search terms of words between blanks in their order, keywords left out."""
    return list(chain.from_iterable(map(_known().__getitem__, spaced.split())))


def _title_terms(definition: Definition) -> list[str]:
    if definition.name.isidentifier() and definition.scope.isidentifier():
        known = _known()
        return [*known[definition.scope], *known[definition.name]]
    return _terms_of(_spaced(definition.title))


@cache
def _named() -> Memo[str, tuple[str, ...]]:
    """A defined name whole and by its words, marked so."""

    def marked(name: str) -> tuple[str, ...]:
        words = _known()[name] if name.isidentifier() else _terms_of(_spaced(name))
        return (DEFINED + name.lower(), *(NAMED + term for term in dict.fromkeys(words)))

    return Memo(marked, MOST_WORDS)


def _names(units: list[Unit], definitions: Iterable[Definition]) -> dict[int, list[str]]:
    """The terms of the names that each unit defines; the first one has those that have no unit of their own."""
    place = {unit.definition: number for number, unit in enumerate(units)}
    names: defaultdict[int, list[str]] = defaultdict(list)
    named = _named()
    for number, definition in enumerate(definitions):
        names[place.get(number, 0)] += named[definition.name]
    return names
