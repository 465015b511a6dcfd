"""What an entry says and what a question asks, in search terms: words, titles, file names, ids, pieces of words."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import islice
from sys import intern

from ctxe.domain.pattern import pattern
from ctxe.domain.value import dataclass
from ctxe.knowledge.entries.entry import Entry
from ctxe.knowledge.recall.query import Query
from ctxe.lexical.traces import faults, frames
from ctxe.lexical.words import STOP, counts, path_terms, plain, terms

NAME, FILE, MENTION, ID = "N:", "F:", "M:", "I:"
"""What terms other than words begin with; no word has a colon in it."""
GRAM = 4
"""Characters of a piece of a word: enough to tell words apart, few enough to forgive an ending or a slip."""
MOST_WORDS = 400
"""Terms of a question that are looked up; a longer one is a pasted log, of which the most frequent count."""
MOST_FAULTS = 3
"""Error lines that belong to what a question is about."""
NEAR = 150
"""Characters before and after a mention of an entry that are said of it."""
MOST_MENTIONS = 8
MOST_READ = 20_000
"""Characters of an entry or a question that are read for ranking."""
OPENING = 200
"""Characters below its first line, or of its only one, in which an entry says what it is about."""
TELLING = 3
"""Digits from which on a number alone names the entry with that number in its id."""

_SAID_BY = pattern(r"(?:\([^)\n]{0,80}\)\s*)?([^\W\d_][\w .-]{0,30}?):\s")
# Ids as text mentions them: a word and a number (PEP 8, adr-0012, MSC1234), or a number and a hash (0007-3fa2).
_MENTIONED = pattern(r"\b([A-Za-z]{2,10}?)s?[-_\s#:`]{0,3}0*(\d{1,6})\b|\b(\d{4,9}-[0-9a-f]{4})\b")
# The same where a question has them, inside names too (enableEIP3855, msc2858_enabled), and numbers that stand alone:
# no part of a date, a version, a time or a path, and no issue's.
_NAMED = pattern(
    r"\b([0-9a-f]{4,9}-[0-9a-f]{4}|[0-9a-f]{8})\b"
    r"|([A-Za-z]{2,30}?)s?[-_\s]{0,2}(\d{1,9})(?![-.:/]?\d|[a-z])"
    r"|(?<![\w.:/#-])(\d{3,9})(?![-.:/]?\d)"
)
_DIGIT = pattern(r"\d")
_LAST_PART = pattern(r"(?:[A-Z]+|[A-Z]?[a-z]+)$")
_WORD_ID = pattern(r"([A-Za-z]{2,10})[-_ ]?0*(\d{1,6})")
_HASH_ID = pattern(r"\d{4,9}-[0-9a-f]{4}")
_OF_AN_ID = pattern(r"([A-Za-z]{2,10})[-_ ]?(\d{1,9})|([0-9a-f]{4,9})-[0-9a-f]{4}")


@dataclass(frozen=True, slots=True)
class EntryReading:
    """What one entry says; ``ids`` are terms by which a question can name it."""

    words: Mapping[str, int]
    length: int
    title: frozenset[str]
    opening: frozenset[str]
    names: frozenset[str]
    files: frozenset[str]
    mentions: frozenset[str]
    ids: frozenset[str]
    said_by: frozenset[str]
    asks: bool


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked. ``words`` weigh more when they are repeated; ``head`` are those of the first line, ``ids`` the
    entries that it names; ``traced`` says that there is a trace among it, of which most words are not what is asked.
    """

    words: Mapping[str, float]
    head: frozenset[str]
    ids: frozenset[str]
    files: frozenset[str]
    grams: frozenset[str]
    plain: frozenset[str]
    text: str
    traced: bool


def wording(entry: Entry) -> str:
    """Everything an entry says, each part once."""
    whole = entry.text
    for part in (entry.title, entry.command, entry.error, entry.tried, entry.outcome, entry.fix):
        if part and part not in whole:
            whole = f"{part}\n{whole}" if part is entry.title else f"{whole}\n{part}"
    return whole[:MOST_READ]


def read(entry: Entry) -> EntryReading:
    """What an entry says."""
    text = wording(entry)
    first, _, rest = text.partition("\n")
    words = counts(text)
    said = _SAID_BY.match(text)
    every = frozenset(words)
    opening = (rest or first)[:OPENING]
    return EntryReading(
        words,
        sum(words.values()),
        frozenset(terms(entry.title or first)) if entry.title or rest else every,
        frozenset(terms(opening)) if opening != text else every,
        frozenset(term for file in entry.files for term in path_terms(file)),
        frozenset([*file_terms(entry.files), *scope_terms(entry.scope)]),
        frozenset(map(mention, _MENTIONED.finditer(text) if _DIGIT.search(text) else ())) - {id_term(entry.id)},
        frozenset(own_ids(entry)),
        pieces(said[1]) if said else frozenset(),
        "?" in text,
    )


def pieces(text: str) -> frozenset[str]:
    """The words of a text as written (lower case), for comparing letter by letter."""
    return frozenset(plain(text.replace("_", " ")))


def ask(query: Query) -> Question:
    """What a question asks: its words, command and error."""
    text = "\n".join(part for part in (query.text, query.error, query.command) if part)[:MOST_READ]
    words = _weights(text)
    asked = pieces(text)
    return Question(
        words,
        frozenset(counts(_head(text)).keys() & words.keys()),
        frozenset(_named(query.text[:MOST_READ])),
        frozenset([*file_terms(query.files), *folder_terms(query.files)]),
        frozenset[str]().union(*map(grams, asked - STOP)),
        asked,
        text,
        any(place.name for place in frames(text)),
    )


def _weights(text: str) -> dict[str, float]:
    found = sorted(counts(text).items(), key=lambda pair: (-pair[1], pair[0]))[:MOST_WORDS]
    return {term: 1.0 + math.log(times) for term, times in sorted(found)}


def _head(text: str) -> str:
    """What a text is about: its first line (not that of a trace, which says nothing) and its error lines."""
    first = text.strip().partition("\n")[0]
    said = [f"{fault.kind} {fault.message}" for fault in faults(text)[:MOST_FAULTS]]
    return " ".join(said if said and first.startswith("Traceback ") else [first, *said])


@lru_cache(maxsize=1 << 16)
def grams(word: str) -> frozenset[str]:
    """Runs of ``GRAM`` characters of a word with a space at either end; a short word is one run."""
    whole = f" {word} "
    # One string for the same piece of all words: comparing reads little memory then.
    return frozenset(intern(whole[start : start + GRAM]) for start in range(max(1, len(whole) - GRAM + 1)))


def file_terms(files: Iterable[str]) -> list[str]:
    """Terms by which files are the same: the path, the name, the name without its ending."""
    found = []
    for file in files:
        path = file.replace("\\", "/").strip("/")
        name = path.rpartition("/")[2]
        found += [f"{FILE}{path}", f"{FILE}*/{name}", f"{FILE}*/{name.partition('.')[0].lower()}.*"]
    return found


def folder_terms(files: Iterable[str]) -> list[str]:
    """Terms of every folder that a file lies in, by which it falls under the scope of an entry."""
    found = []
    for file in files:
        parts = file.replace("\\", "/").strip("/").split("/")[:-1]
        found += [f"{FILE}{'/'.join(parts[:depth])}/" for depth in range(1, len(parts) + 1)]
    return found


def scope_terms(globs: Sequence[str]) -> list[str]:
    """Terms of the folders or files that globs begin with: ``src/api/**`` is everything below ``src/api``."""
    found = []
    for glob in globs:
        fixed = re.split(r"[*?\[{]", glob, maxsplit=1)[0]
        folder = fixed if fixed.endswith("/") else fixed.rpartition("/")[0] + "/"
        found += file_terms([glob]) if fixed == glob else [f"{FILE}{folder.strip('/')}/"]
    return [term for term in found if term != f"{FILE}/"]


def own_ids(entry: Entry) -> Iterable[str]:
    """Terms of an entry's own id: whole, its number alone when that tells enough, its number after its word or kind."""
    found = _OF_AN_ID.fullmatch(entry.id)
    if not found:
        return
    word, number, whole = found.groups()
    number = number or whole
    yield f"{ID}{entry.id.lower()}"
    if len(number) >= TELLING:
        yield f"{ID}{number}"
    if number.isdecimal():
        yield f"{ID}{(word or entry.kind).lower()} {int(number)}"


def _named(text: str) -> Iterable[str]:
    """Terms of the ids that a question may mean."""
    for whole, word, after, alone in _NAMED.findall(text):
        number = after or alone
        if whole:
            yield from (f"{ID}{whole}", f"{ID}{whole.partition('-')[0]}")
        elif len(number) >= TELLING:
            yield f"{ID}{number}"
        if word:
            last = _LAST_PART.search(word)
            yield from (f"{ID}{name.lower()} {int(number)}" for name in (word, last[0] if last else word))


def id_term(name: str) -> str:
    """The term by which others mention an entry of this id; "" when no text could."""
    found = _WORD_ID.fullmatch(name)
    if found:
        return f"{MENTION}{found[1].lower()}-{found[2]}"
    return f"{MENTION}{name}" if _HASH_ID.fullmatch(name) else ""


def mention(found: re.Match[str]) -> str:
    """The term of the id that a piece of text mentions."""
    word, number, whole = found.groups()
    return f"{MENTION}{whole}" if whole else f"{MENTION}{word.lower()}-{number}"


def beside(text: str, term: str) -> Mapping[str, int]:
    """How often each word stands near one of the first mentions of the id with this term; those between two of them
    count twice.
    """
    near: Counter[str] = Counter()
    for found in islice((found for found in _MENTIONED.finditer(text) if mention(found) == term), MOST_MENTIONS):
        near.update(counts(text[max(0, found.start() - NEAR) : found.end() + NEAR]))
    return near
