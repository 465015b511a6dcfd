"""Signals from things the task names literally: paths, frames, definitions, file names, the title's prefix."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import pairwise

from ctxe.domain.pattern import pattern
from ctxe.lexical.bm25 import idf
from ctxe.lexical.words import STOP, path_terms
from ctxe.repo.indexing.scan import DEFINED, PATH, STEM, stem_of
from ctxe.repo.planning.evidence import Evidence, Scores
from ctxe.repo.planning.reading import code_shaped
from ctxe.repo.planning.signals.modules import taken_names

MOST_NAMESAKES = 6
"""Files above which a name that fits them all is ignored."""
_HOSTED = pattern(r"/(?:blob|tree|raw|blame|src)/[^/]+/([^?#]+\.\w+)")
_NO_SUFFIX = pattern(r"\b(?:docker|make|just|rake|gem|jenkins|vagrant|proc|pip|brew)file\b", re.IGNORECASE)
_CALL = pattern(r"\b([A-Za-z_]\w{2,})\s*\(")
_WORD = pattern(r"[\w\-]+")


def _parts(written: str) -> list[str]:
    return [part for part in written.replace("\\", "/").lower().split("/") if part not in ("", ".", "..", "~")]


def fitting(evidence: Evidence, written: str) -> tuple[list[int], int, int]:
    """(files whose paths share the longest end with ``written``, parts in that end, parts of ``written``).

    If one of several such files has exactly the written path, it is the only one given.
    """
    parts = _parts(written)
    if not parts:
        return [], 0, 0
    matches: list[int] = []
    longest = 0
    for number in evidence.having(STEM, [stem_of("/".join(parts))]).get(stem_of("/".join(parts)), ()):
        path = evidence.file(number).path.lower().split("/")
        same = 0
        while same < min(len(parts), len(path)) and parts[-1 - same] == path[-1 - same]:
            same += 1
        if same > longest:
            matches, longest = [number], same
        elif same == longest and same:
            matches.append(number)
    rooted = (
        [match for match in matches if evidence.file(match).path.lower() == "/".join(parts)] if len(matches) > 1 else []
    )
    return rooted or matches, longest, len(parts)


def paths_written(evidence: Evidence) -> Iterator[str]:
    """Paths in the task, including those inside URLs of a code host."""
    for place in evidence.reading.mentions.paths:
        if not place.path.endswith("/"):
            yield place.path
    for url in evidence.reading.mentions.urls:
        if match := _HOSTED.search(url):
            yield match[1]


def names_written(evidence: Evidence) -> list[str]:
    """File names without a suffix in the prose of the task: Dockerfile, Makefile."""
    reading = evidence.reading
    return list(dict.fromkeys(_NO_SUFFIX.findall(f"{reading.title}\n{reading.prose}")))


def path_named(evidence: Evidence) -> Scores:
    """Files whose path or name the task writes."""
    scores: Scores = {}
    for path in (*paths_written(evidence), *names_written(evidence)):
        files, same, written = fitting(evidence, path)
        files = _within_scope(evidence, files)
        if 0 < len(files) <= MOST_NAMESAKES:
            for number in files:
                scores[number] = scores.get(number, 0.0) + (1.0 if same > 1 or same == written else 0.6) / len(files)
    return scores


def _within_scope(evidence: Evidence, files: list[int]) -> list[int]:
    """The files in a folder that the title's prefix names; all files when that leaves none, or there is only one."""
    if len(files) < 2:
        return files
    scopes = [scope.lower() for scope in evidence.reading.scope]
    return [file for file in files if any(_fits(evidence.file(file).path.lower(), scope) for scope in scopes)] or files


def frame(evidence: Evidence) -> Scores:
    """Files in frames of a pasted traceback; the innermost counts most."""
    scores: Scores = {}
    frames = evidence.reading.mentions.frames
    tops = _tops(evidence)
    for place_in_trace, place in enumerate(frames, 1):
        files, same, written = fitting(evidence, place.path)
        if same == 1 < written:
            files = [file for file in files if "/".join(_parts(place.path)[:-1]) in tops and _is_at_top(evidence, file)]
        if 0 < len(files) <= 4:
            # only Python prints the innermost frame last
            depth = place_in_trace if place.path.endswith(".py") else len(frames) + 1 - place_in_trace
            for number in files:
                scores[number] = max(scores.get(number, 0.0), (0.5 + 0.5 * depth / len(frames)) / len(files))
    return scores


def _tops(evidence: Evidence) -> set[str]:
    """Folders of frames that are the top of this project: named like it, or followed by the whole path of a file."""
    tops: set[str] = set()
    for place in evidence.reading.mentions.frames:
        parts = _parts(place.path)
        files, same, _ = fitting(evidence, place.path)
        if same > 1 and any(evidence.file(number).path.count("/") == same - 1 for number in files):
            tops.add("/".join(parts[:-same]))
        elif len(parts) > 1 and parts[-2].partition("@")[0] == evidence.index.root.name.lower():
            tops.add("/".join(parts[:-1]))
    return tops


def _is_at_top(evidence: Evidence, number: int) -> bool:
    return "/" not in evidence.file(number).path


def names_in_task(evidence: Evidence) -> list[str]:
    """Code-shaped names of the task, each once, those of the prose first; at most 200."""
    reading = evidence.reading
    pasted = (name for name in reading.pasted_names if code_shaped(name))
    parts = (part for module in reading.mentions.modules for part in re.split(r"\W+", module) if len(part) > 2)
    taken = (name for names in taken_names(reading).values() for name in names if len(name) > 2)
    return list(dict.fromkeys([*reading.names, *reading.mentions.identifiers, *parts, *taken, *pasted]))[:200]


def defined(evidence: Evidence) -> Scores:
    """Files that define names in the task, for names that at most 3 source files define."""
    return _defining(evidence, names_in_task(evidence), 3)


def called(evidence: Evidence) -> Scores:
    """Files that define functions called in pasted code, for names that at most 12 source files define."""
    return _defining(evidence, dict.fromkeys(_CALL.findall(evidence.reading.pasted[:20_000])), 12)


def _defining(evidence: Evidence, names: Iterable[str], most: int) -> Scores:
    """Source files that define these names, for names that at most ``most`` of them define."""
    scores: Scores = {}
    total = max(1, evidence.index.files.statistics.documents)
    for files in evidence.having(DEFINED, dict.fromkeys(name.lower() for name in names)).values():
        sources = [number for number in files if evidence.is_source(number)]
        if 0 < len(sources) <= most:
            for number in sources:
                scores[number] = scores.get(number, 0.0) + idf(total, len(files)) / len(sources)
    return scores


def title_stem(evidence: Evidence) -> Scores:
    """Files named like a word of the title, or like two in a row."""
    words = [
        word.lower() for word in _WORD.findall(evidence.reading.title) if len(word) > 2 and word.lower() not in STOP
    ]
    joined = [first + link + second for first, second in pairwise(words) for link in ("_", "-", "")]
    numbers = [word[:-1] if word.endswith("s") else word + "s" for word in words]
    return _with_stem(evidence, [*words, *joined, *numbers])


def code_stem(evidence: Evidence) -> Scores:
    """Files named like a code-shaped word of the task."""
    return _with_stem(evidence, [name.lower() for name in evidence.reading.names])


def _with_stem(evidence: Evidence, stems: Iterable[str]) -> Scores:
    scores: Scores = {}
    total = max(1, len(evidence.index.files))
    spelled = dict.fromkeys(form for stem in stems for form in (stem, stem.replace("-", "_"), "_" + stem))
    for files in evidence.having(STEM, spelled).values():
        if len(files) <= 2 * MOST_NAMESAKES:
            for number in files:
                scores[number] = scores.get(number, 0.0) + idf(total, len(files))
    return scores


def scope_named(evidence: Evidence) -> Scores:
    """Files that fit the prefix of the title (``net/http: ...``) by file name, folder or words of the path."""
    scores: Scores = {}
    total = max(1, len(evidence.index.files))
    for scope in evidence.reading.scope:
        name = scope.lower()
        files_by_term = evidence.having(PATH, path_terms(scope))
        for files in files_by_term.values():
            for number in files:
                scores[number] = scores.get(number, 0.0) + 0.3 * idf(total, len(files))
        last = name.rpartition("/")[2]
        candidates = set().union(*files_by_term.values(), evidence.having(STEM, [last]).get(last, ()))
        fits = {number: share for number in candidates if (share := _fits(evidence.file(number).path.lower(), name))}
        for number, share in fits.items():
            scores[number] = scores.get(number, 0.0) + share * idf(total, len(fits))
    return scores


def _fits(path: str, scope: str) -> float:
    """How well a path fits a scope: 1 for the file or its folder, 0.7 for a folder further out, else 0."""
    folder, _, file = path.rpartition("/")
    stem = file.partition(".")[0]
    if f"/{folder}/{stem}".endswith("/" + scope) or f"/{folder}".endswith("/" + scope):
        return 1.0
    return 0.7 if f"/{scope}/" in f"/{folder}/" else 0.0
