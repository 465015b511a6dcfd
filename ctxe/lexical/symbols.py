"""The names in a text: paths and lines, trace frames, modules, identifiers, error lines, URLs, commits."""

from __future__ import annotations

import re

from ctxe.domain.pattern import pattern
from ctxe.domain.value import dataclass, field
from ctxe.lexical.traces import PrintedError, TraceLocation, capped_lines, error_in, frame_in


@dataclass(frozen=True, slots=True)
class Symbols:
    """Names by kind, each once, in the order of their first mention.

    ``paths``: files, folders (with a trailing "/") and positions ``file.py:12``, as written. ``frames``: trace frames
    and compiler positions. ``modules``: ``a.b.c``, ``a::b``. ``identifiers``: names in backticks or shaped like code.
    ``errors``: error lines. ``commits``: git hashes, full or abbreviated to at least seven digits. Test ids, error
    classes and error codes are in none of these.
    """

    paths: tuple[TraceLocation, ...] = ()
    frames: tuple[TraceLocation, ...] = ()
    modules: tuple[str, ...] = ()
    identifiers: tuple[str, ...] = ()
    errors: tuple[PrintedError, ...] = ()
    urls: tuple[str, ...] = ()
    commits: tuple[str, ...] = ()


_URL = pattern(r"\bhttps?://[^\s<>\"'`)\]]{1,500}")
_PLAIN_NAME = pattern(r"[A-Za-z_$][\w$]*(?:\(\))?$")
_QUOTED = pattern(r"(?<!`)`([^`\n]{1,120})`(?!`)")
# A run of name characters with something no plain word has, and what may follow: a position, a call, a parameter.
# It matches only where the run begins: otherwise a long ruler of dashes would take quadratic time.
_CANDIDATE = pattern(
    r"(?<![\w.@~$/\\+\-])[\w.@~$/\\+\-]*(?:[./\\_#:$][\w.@~$/\\+\-]+|[a-z0-9][A-Z]|/|\w\(\)|\d[a-f]|[a-f]\d|[A-Z]{2}[a-z]|[A-Z]\d{4})"
    r"[\w.@~$/\\+\-:#>]*(?:\[[\w.:\-]{0,80}\]|\(\d{1,7}(?:,\d{1,7})?\)|\(\))?"
)
_POSITION = pattern(r"(?:[:(]|#L|, line |\sline\s)(\d{1,7})(?:[:,]\d{1,7})?\)?:?$")
_TEST = pattern(r"[\w./\\+\-]+\.\w+::[\w:.\[\]\-]+$|[\w.$]+(?:::|#)test\w*(?:\[.*\])?$")
_ERROR = pattern(r"(?:[\w$]+\.)*[A-Z]\w*(?:Error|Exception|Warning|Failure)$|(?:TS|E|CS|LNK)\d{4}$")
_FILE = pattern(r"(?:[A-Za-z]:)?[\w.@~$/\\+\-]*\w\.[A-Za-z]\w{0,11}$|.*/\.?\w[\w.\-]*\.\w{1,12}$")
_FOLDER = pattern(
    r"(?:~|\.{1,2})?/?(?:[\w.@+\-]+/){1,12}$|(?:~/|\.{1,2}/)?(?:[\w.@+\-]+/){2,12}[\w.@+\-]+$|/(?:[\w.@+\-]+/)+[\w.@+\-]+$"
)
_MODULE = pattern(r"[A-Za-z_]\w*(?:(?:\.|::|->|#)[A-Za-z_]\w*)+$")
_COMMIT = pattern(r"(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{7,40}$")
_NAME = pattern(r"_*[A-Za-z]\w*_\w+$|_+[A-Za-z]\w*$|[a-z]\w*[A-Z]\w*$|[A-Z]+[a-z0-9]+[A-Z]\w*$|[A-Z]{2,}[a-z]{2,}\w*$")
# Extensions that make "name.ext" a file and not an attribute; a path with a slash needs none of them.
_SOURCES = frozenset(
    re.findall(
        r"\w+",
        """astro bash bat bib c cc cfg clj cljs cmake cmd conf cpp cs css csv cu cxx dart diff el env erl ex exs f90
    fish go gql gradle graphql groovy h hbs hcl hh hpp hrl hs htm html hxx ini ipynb java jl js json json5 jsonl
    jsx kt kts less lock log lua m4 mak md mdx mediawiki mjs mk ml mli mm mts nim nix patch php pl pm po proto
    ps1 py pyi pyx r rake rb rst rs s sass sbt scala scss sh sql sol svelte svg swift tcl tex tf toml ts tsv tsx
    txt vb vim vue wasm xml yaml yml zig zsh""",
    )
)


@dataclass(slots=True)
class _Found:
    """Names found so far; dictionaries keep the order of the first mention."""

    paths: dict[TraceLocation, None] = field(default_factory=dict)
    frames: dict[TraceLocation, None] = field(default_factory=dict)
    modules: dict[str, None] = field(default_factory=dict)
    identifiers: dict[str, None] = field(default_factory=dict)
    faults: dict[PrintedError, None] = field(default_factory=dict)
    urls: dict[str, None] = field(default_factory=dict)
    commits: dict[str, None] = field(default_factory=dict)

    def close(self) -> Symbols:
        return Symbols(
            paths=tuple(self.paths),
            frames=tuple(self.frames),
            modules=tuple(self.modules),
            identifiers=tuple(self.identifiers),
            errors=tuple(self.faults),
            urls=tuple(self.urls),
            commits=tuple(self.commits),
        )


def _is_file(word: str) -> bool:
    if not _FILE.match(word):
        return False
    return "/" in word or "\\" in word or word.rpartition(".")[2].lower() in _SOURCES


def _is_module(word: str) -> bool:
    """True for a dotted name; "e.g." and "U.S.A" are none."""
    return bool(_MODULE.match(word)) and any(len(piece) > 2 for piece in re.split(r"\W+", word))


def _classify(word: str, found: _Found) -> None:
    """Add one word to the kind of name it is, if any."""
    position = _POSITION.search(word)
    bare = word[: position.start()] if position else word
    called = word.removesuffix("()")
    if _TEST.match(word):
        return
    if _is_file(bare):
        found.paths[TraceLocation(bare, int(position[1]) if position else 0)] = None
    elif _COMMIT.match(word):
        found.commits[word] = None
    elif _ERROR.match(word):
        return
    elif "/" in word and _FOLDER.match(word):
        found.paths[TraceLocation(word)] = None
    elif _is_module(called):
        found.modules[called] = None
    elif called != word or _NAME.match(word):
        found.identifiers[called] = None


def _read_line(line: str, found: _Found) -> None:
    """Add the names in one line. A frame with a function name is a frame and nothing else."""
    place, error = frame_in(line), error_in(line)
    if place:
        found.frames[place] = None
        if place.name:
            return
        line = line.replace(place.path, " ", 1)
    if error:
        found.faults[error] = None
    for url in _URL.findall(line):
        found.urls[url.rstrip(".,;:")] = None
    line = _URL.sub(" ", line)
    for word in _QUOTED.findall(line):
        if _PLAIN_NAME.match(word):
            found.identifiers[word.removesuffix("()")] = None
    for candidate in _CANDIDATE.findall(line):
        _classify(candidate.strip("-").rstrip(".:,#"), found)


def symbols_in(text: str) -> Symbols:
    """All names in a text, in linear time; only the first ``traces.LONGEST_LINE`` characters of a line are read."""
    found = _Found()
    for line in capped_lines(text):
        _read_line(line, found)
    return found.close()
