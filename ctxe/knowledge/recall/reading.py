"""Search terms of entries and questions: words, titles, file names, ids, and grams of words."""

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
from ctxe.lexical.traces import errors_in, frames_in
from ctxe.lexical.words import STOP, path_terms, plain_words, term_counts, terms

NAME, FILE, MENTION, ID = "N:", "F:", "M:", "I:"
"""Prefixes of terms other than words; no word contains a colon."""
GRAM = 4
"""Characters of a gram of a word: enough to tell words apart, few enough to tolerate an ending or a typo."""
MOST_WORDS = 400
"""Terms of a question that are looked up. A longer one is a pasted log, of which the most frequent terms count."""
MOST_FAULTS = 3
"""Error lines that count as part of the question's subject."""
NEAR = 150
"""Characters before and after a mention that count as said of the mentioned entry."""
MOST_MENTIONS = 8
MOST_READ = 20_000
"""Characters of an entry or a question that are read for ranking."""
OPENING = 200
"""Characters after the first line (or of the only one) in which an entry states its subject."""
TELLING = 3
"""Digits from which on a bare number names the entry with that number in its id."""

_SAID_BY = pattern(r"(?:\([^)\n]{0,80}\)\s*)?([^\W\d_][\w .-]{0,30}?):\s")
# Ids as text mentions them: a word and a number (PEP 8, adr-0012, MSC1234), or a number and a hash (0007-3fa2).
_MENTIONED = pattern(r"\b([A-Za-z]{2,10}?)s?[-_\s#:`]{0,3}0*(\d{1,6})\b|\b(\d{4,9}-[0-9a-f]{4})\b")
# The same in a question, also inside names (enableEIP3855, msc2858_enabled), and bare numbers, unless they are part of
# a date, version, time or path, or the number of an issue.
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
    """The terms of one entry; ``ids`` are those by which a question can name it."""

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
    """The terms of a question. ``words`` map terms to weights that grow with repetition.

    ``head`` are the words of its first line and error lines, ``ids`` the entries it names. ``traced``: it contains a
    stack trace, most words of which are not what is asked.
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
    """The whole text of an entry, each part once, at most MOST_READ characters."""
    whole = entry.text
    for part in (entry.title, entry.command, entry.error, entry.tried, entry.outcome, entry.fix):
        if part and part not in whole:
            whole = f"{part}\n{whole}" if part is entry.title else f"{whole}\n{part}"
    return whole[:MOST_READ]


def read_terms(entry: Entry) -> EntryReading:
    """Extract the terms of an entry."""
    text = wording(entry)
    first, _, rest = text.partition("\n")
    words = term_counts(text)
    speaker = _SAID_BY.match(text)
    every = frozenset(words)
    opening = (rest or first)[:OPENING]
    return EntryReading(
        words,
        sum(words.values()),
        frozenset(terms(entry.title or first)) if entry.title or rest else every,
        frozenset(terms(opening)) if opening != text else every,
        frozenset(term for file in entry.files for term in path_terms(file)),
        frozenset([*file_terms(entry.files), *scope_terms(entry.scope)]),
        frozenset(map(mentioned_term, _MENTIONED.finditer(text) if _DIGIT.search(text) else ())) - {id_term(entry.id)},
        frozenset(own_ids(entry)),
        written_words(speaker[1]) if speaker else frozenset(),
        "?" in text,
    )


def written_words(text: str) -> frozenset[str]:
    """The words of a text as written, in lower case, to be compared by their grams."""
    return frozenset(plain_words(text.replace("_", " ")))


def read_question(query: Query) -> Question:
    """Extract the terms of a question from its text, command and error."""
    text = "\n".join(part for part in (query.text, query.error, query.command) if part)[:MOST_READ]
    words = _word_weights(text)
    asked = written_words(text)
    return Question(
        words,
        frozenset(term_counts(_subject(text)).keys() & words.keys()),
        frozenset(_named_ids(query.text[:MOST_READ])),
        frozenset([*file_terms(query.files), *folder_terms(query.files)]),
        frozenset[str]().union(*map(grams, asked - STOP)),
        asked,
        text,
        any(place.name for place in frames_in(text)),
    )


def _word_weights(text: str) -> dict[str, float]:
    found = sorted(term_counts(text).items(), key=lambda pair: (-pair[1], pair[0]))[:MOST_WORDS]
    return {term: 1.0 + math.log(times) for term, times in sorted(found)}


def _subject(text: str) -> str:
    """The subject of a text: its first line and its error lines. The first line of a trace is useless and left out."""
    first = text.strip().partition("\n")[0]
    errors = [f"{fault.kind} {fault.message}" for fault in errors_in(text)[:MOST_FAULTS]]
    return " ".join(errors if errors and first.startswith("Traceback ") else [first, *errors])


@lru_cache(maxsize=1 << 16)
def grams(word: str) -> frozenset[str]:
    """All runs of GRAM characters of a word with a space at either end; a short word is one run."""
    whole = f" {word} "
    # Interned: equal grams of different words are one string, so comparisons touch little memory.
    return frozenset(intern(whole[start : start + GRAM]) for start in range(max(1, len(whole) - GRAM + 1)))


def file_terms(files: Iterable[str]) -> list[str]:
    """Terms by which files match: the path, the name, and the name without extensions."""
    found = []
    for file in files:
        path = file.replace("\\", "/").strip("/")
        name = path.rpartition("/")[2]
        found += [f"{FILE}{path}", f"{FILE}*/{name}", f"{FILE}*/{name.partition('.')[0].lower()}.*"]
    return found


def folder_terms(files: Iterable[str]) -> list[str]:
    """Terms of every folder that contains the files, to be matched with the scope of an entry."""
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
    """Terms of an entry's own id: the whole, its number if long enough, and its word or kind with the number."""
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


def _named_ids(text: str) -> Iterable[str]:
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
    """The term with which other entries mention this id; "" if it has a form that text cannot mention."""
    found = _WORD_ID.fullmatch(name)
    if found:
        return f"{MENTION}{found[1].lower()}-{found[2]}"
    return f"{MENTION}{name}" if _HASH_ID.fullmatch(name) else ""


def mentioned_term(found: re.Match[str]) -> str:
    """The term of the id that a match of _MENTIONED names."""
    word, number, whole = found.groups()
    return f"{MENTION}{whole}" if whole else f"{MENTION}{word.lower()}-{number}"


def words_beside(text: str, term: str) -> Mapping[str, int]:
    """Counts of the words near the first mentions of the id with this term. A word near two of them counts twice."""
    word_counts: Counter[str] = Counter()
    for found in islice((found for found in _MENTIONED.finditer(text) if mentioned_term(found) == term), MOST_MENTIONS):
        word_counts.update(term_counts(text[max(0, found.start() - NEAR) : found.end() + NEAR]))
    return word_counts
