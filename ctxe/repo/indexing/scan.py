"""Scanning files for the index: the facts it keeps of each, from path and text alone, and a batch's postings."""

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
from ctxe.lexical.words import path_terms, terms_of_word
from ctxe.repo.files import minified
from ctxe.repo.indexing.definition import Definition
from ctxe.repo.indexing.postings import GrowingPostings
from ctxe.repo.indexing.units import Unit, cut
from ctxe.repo.kinds import kind, language

if TYPE_CHECKING:
    from ctxe.repo.indexing.symbols import Syntax

DEFINED, PATH, NAMED, STEM = "\x01", "\x02", "\x03", "\x04"
"""Prefixes of terms that are: a whole defined name, a word of the path, a word of a defined name, a file's stem."""
KEYWORDS = frozenset(
    re.findall(
        r"\w+",
        """self this return def import none null nil true false const let var func fn public private void
        int new if else end class function err""",
    )
)
"""Terms that nearly every file of some language holds. Not "static" or "default": a task may be about these."""
HOLLOW = frozenset(("__init__", "index", "mod", "lib", "main", "package", "__main__"))
"""File names that stand for their folder."""
KINDS_READ_CLOSELY = ("source", "config", "doc")
"""Kinds of files that are read with care; for tests and other people's code ``skim`` is enough."""
MOST_TIMES = 255
MOST_WORDS = 1 << 18
"""Words whose terms are cached."""
LARGE_SETTINGS = 60_000
"""Characters above which a settings file counts as data, of which only the path is indexed."""


class Scanned(NamedTuple):
    """One file as the index keeps it. ``length`` counts its terms.

    ``units`` and ``lengths`` are arrays of 32-bit numbers: (definition, first line, last line) of each unit one after
    another, and the number of terms of each.
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
"""A translation table that turns everything between words of ASCII text into blanks, but for newlines."""


class Batch:
    """Files scanned one after another, whose postings are collected together."""

    def __init__(self) -> None:
        self.files: list[Scanned] = []
        self.postings = GrowingPostings()

    def add(self, number: int, path: str, text: str | None) -> Scanned:
        """Scan one file. With a ``text`` of None, and for data or minified text, only its path is indexed."""
        lang, file_kind = language(path), kind(path)
        counts: dict[str, int] = {}
        for term in dict.fromkeys([*(PATH + term for term in path_terms(path)), STEM + stem_of(path)]):
            self.postings.units[term].append(1)
            counts[term] = 1 << 16 | 1
        if text is None or file_kind == "data" or minified(text) or (lang == "settings" and len(text) > LARGE_SETTINGS):
            mark = digest(text or "")
            scanned = Scanned(number, lang, "vendored" if file_kind == "vendored" else "data", mark, 0, 1)
        else:
            scanned = self._scan_text(number, lang, file_kind, text, counts)
        self.files.append(scanned)
        self.postings.add(number, counts)
        return scanned

    def _scan_text(self, number: int, lang: str, file_kind: str, text: str, counts: dict[str, int]) -> Scanned:
        from ctxe.repo.indexing.symbols import (  # imports every parser, which asking the index does not need
            read_syntax,
            skim,
        )

        syntax = read_syntax(lang, text) if file_kind in KINDS_READ_CLOSELY else skim(lang, text)
        lines = text.split("\n")
        units, owner = cut(syntax.definitions, len(lines))
        texts = _texts(owner, len(units), _spaced(text).split("\n"))
        names = _names(units, syntax.definitions) if file_kind != "doc" else {}
        lengths = _count_terms(units, texts, syntax.definitions, names, self.postings.units, counts)
        return Scanned(
            number, lang, file_kind, digest(text), len(lines), sum(lengths), write_definitions(syntax), syntax.imports,
            array("i", chain.from_iterable(units)).tobytes(), lengths.tobytes(),
        )  # fmt: skip


def stem_of(path: str) -> str:
    """The file name without extensions, in lower case; the folder's name for a file like ``index.js`` (HOLLOW)."""
    folder, _, name = path.rpartition("/")
    stem = name.lstrip(".").partition(".")[0].lower()
    return folder.rpartition("/")[2].lower() if folder and stem in HOLLOW else stem


def digest(text: str) -> bytes:
    """Content hash of a text, 16 bytes."""
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=16).digest()


def write_definitions(syntax: Syntax) -> str:
    """Definitions as JSON, for ``read_definitions``."""
    return json.dumps(syntax.definitions, separators=(",", ":"))


def read_definitions(text: str) -> list[Definition]:
    """Definitions from the JSON of ``write_definitions``."""
    return [Definition(*row) for row in json.loads(text)]


def _texts(owner: list[int], count: int, lines: list[str]) -> list[str]:
    """The text of each unit, without the lines of units inside."""
    texts: list[list[str]] = [[] for _ in range(count)]
    for line, unit in zip(lines, owner, strict=True):
        texts[unit].append(line)
    return ["\n".join(unit_lines) for unit_lines in texts]


def _count_terms(
    units: list[Unit],
    texts: list[str],
    definitions: Sequence[Definition],
    names: Mapping[int, Iterable[str]],
    postings: dict[str, array[int]],
    counts: dict[str, int],
) -> array[int]:
    """Add the terms of every unit to ``postings`` and ``counts``; returns the number of words in each unit's text.

    Terms come from the text, from the title once more, and from the ``names`` that each unit defines.
    """
    lengths = array("I")
    get = counts.get
    for number, text in enumerate(texts):
        terms = _terms_of(text)
        lengths.append(len(terms))
        if units[number].definition >= 0:
            terms += _title_terms(definitions[units[number].definition])
        terms += names.get(number, ())
        mark = number << 8
        for term, times in Counter(terms).items():
            capped = times if times < MOST_TIMES else MOST_TIMES
            postings[term].append(mark | capped)
            counts[term] = get(term, 0) + (capped << 16 | 1)
    return lengths


@cache
def _terms_of_word() -> Memo[str, tuple[str, ...]]:
    """A cache: the search terms of a word, without keywords."""
    return Memo(lambda word: tuple([term for term in terms_of_word(word) if term not in KEYWORDS]), MOST_WORDS)


def _spaced(text: str) -> str:
    """The text with everything between its words replaced by blanks, but for newlines."""
    if text.isascii():
        return text.translate(_SPACES)
    # Most other texts hold only a few characters that are not ASCII.
    pieces = _FOREIGN.split(text)
    return "".join([piece.translate(_SPACES) if piece.isascii() else _SPACE.sub(" ", piece) for piece in pieces])


def _terms_of(spaced: str) -> list[str]:
    """The search terms of a text that ``_spaced`` made, in order, without keywords."""
    return list(chain.from_iterable(map(_terms_of_word().__getitem__, spaced.split())))


def _title_terms(definition: Definition) -> list[str]:
    if definition.name.isidentifier() and definition.scope.isidentifier():
        terms_of = _terms_of_word()
        return [*terms_of[definition.scope], *terms_of[definition.name]]
    return _terms_of(_spaced(definition.title))


@cache
def _terms_of_name() -> Memo[str, tuple[str, ...]]:
    """A cache: the terms of a defined name, whole (DEFINED) and by its words (NAMED)."""

    def marked(name: str) -> tuple[str, ...]:
        words = _terms_of_word()[name] if name.isidentifier() else _terms_of(_spaced(name))
        return (DEFINED + name.lower(), *(NAMED + term for term in dict.fromkeys(words)))

    return Memo(marked, MOST_WORDS)


def _names(units: list[Unit], definitions: Iterable[Definition]) -> dict[int, list[str]]:
    """The terms of the names that each unit defines; names of definitions without a unit go to the first unit."""
    unit_numbers = {unit.definition: number for number, unit in enumerate(units)}
    names: defaultdict[int, list[str]] = defaultdict(list)
    terms_of = _terms_of_name()
    for number, definition in enumerate(definitions):
        names[unit_numbers.get(number, 0)] += terms_of[definition.name]
    return names
