"""Search terms of a text: words, identifiers whole and in parts, numbers, stems; common words are left out."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache, lru_cache
from itertools import chain
from typing import TYPE_CHECKING

from ctxe.domain.pattern import pattern
from ctxe.lexical.irregular import irregular_bases

if TYPE_CHECKING:
    from Stemmer import Stemmer

# The usual English function words, and the fragments of contractions ("don't" is read as "don", "t").
STOP = frozenset(
    re.findall(
        r"\w+",
        """a about above after again against all also am an and any are as at be because been before being below
    between both but by can cannot could couldn d did didn do does doesn doing don down during each few for from
    further had hadn has hasn have haven having he her here hers herself him himself his how i if in into is isn
    it its itself just let ll m may me might more most mustn my myself no nor not now of off on once only or
    other ought our ours ourselves out over own re s same shan she should shouldn so some such t than that the
    their theirs them themselves then there these they this those through to too under until up upon us ve very
    was wasn we were weren what when where which while who whom whose why will with within without won would
    wouldn you your yours yourself yourselves""",
    )
)
LONG = 1_000
"""Words from which a text repeats most of them, so that looking up each distinct word once is faster."""
LONGEST = 64
"""Characters of a word that are used; what is longer is a hash, a key or encoded bytes."""

_WORD = pattern(r"\w+")
_SPACED = "".join(char if char.isalnum() or char == "_" else " " for char in map(chr, range(128)))
_PART = pattern(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")
_FOREIGN_PART = pattern(r"[^\W\d_]+|\d+")  # parts are split by case only in ASCII
_SPACELESS = pattern("[\u0e00-\u0eff\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff]")


@cache
def _stemmer() -> Stemmer:
    import Stemmer

    return Stemmer.Stemmer("english", 0)  # its own cache costs more than it saves


@cache
def _irregular() -> dict[str, str]:
    return irregular_bases()


@lru_cache(maxsize=1 << 16)
def stem(word: str) -> str:
    """The Snowball English stem of a lower-case word: ``"retries"`` and ``"retrying"`` are both ``"retri"``.

    Irregular forms have the stem of their base form: ``"written"`` and ``"wrote"`` are ``"write"``.
    """
    return str(_stemmer().stemWord(_irregular().get(word, word)))


def identifier_parts(identifier: str) -> list[str]:
    """Lower-case parts of an identifier, not stemmed: ``"parseHTTPHeader_v2"`` is parse, http, header, v, 2."""
    return [piece.lower() for piece in (_PART if identifier.isascii() else _FOREIGN_PART).findall(identifier)]


@lru_cache(maxsize=1 << 18)
def _terms(word: str) -> tuple[str, ...]:
    return terms_of_word(word)


def terms_of_word(word: str) -> tuple[str, ...]:
    """Terms of one run of word characters: nothing, its stem, or the whole identifier and the stems of its parts."""
    whole = word[:LONGEST].strip("_").lower()
    if not whole or whole in STOP:
        return ()
    if whole.isascii():
        if word.isalpha() and (word.islower() or word.istitle() or word.isupper()):
            return (stem(whole),)
    elif _SPACELESS.search(whole):
        return tuple(whole[i : i + 2] for i in range(max(1, len(whole) - 1)))
    pieces = identifier_parts(word[:LONGEST])
    if len(pieces) < 2:
        return (stem(whole),)
    return (whole, *[stem(piece) for piece in pieces if len(piece) > 1 and piece not in STOP])


def _words(text: str) -> list[str]:
    """The runs of word characters of a text. ASCII text is split, which takes a third of the time of the regex."""
    return text.translate(_SPACED).split() if text.isascii() else _WORD.findall(text)


def terms(text: str) -> list[str]:
    """Search terms in order, repeats included.

    A plain word gives its stem; an identifier of several parts gives itself in lower case and the stems of its parts; a
    run of a script written without spaces gives its character pairs. Common words give nothing.
    """
    return list(chain.from_iterable(map(_terms, _words(text))))


def term_counts(text: str) -> Counter[str]:
    """The number of occurrences of each search term: ``Counter(terms(text))``, but faster for long texts."""
    words = _words(text)
    if len(words) < LONG:
        return Counter(chain.from_iterable(map(_terms, words)))
    found: Counter[str] = Counter()
    for word, times in Counter(words).items():
        for term in _terms(word):
            found[term] += times
    return found


def plain_words(text: str) -> list[str]:
    """Lower-case words, common ones included: for comparing wording, not meaning."""
    return _words(text.lower())


def path_terms(path: str) -> list[str]:
    """Search terms of a path, compound names also whole.

    ``"src/frameReader.py"`` is src, framereader, frame, reader, py.
    """
    return terms(path.replace("-", "_").replace("/", " ").replace(".", " "))
