"""Signals from modules the task names: dotted names, their members, and names that its import statements take."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from ctxe.domain.pattern import pattern
from ctxe.repo.indexing.scan import DEFINED, HOLLOW, STEM
from ctxe.repo.planning.evidence import Evidence, Scores
from ctxe.repo.planning.reading import TaskReading

MOST_FILES = 4
"""Files above which a module's name that fits them all is ignored."""
_FROM = pattern(r"\bfrom\s+(\.*\w[\w.]*)\s+import\s+(\([^)]{1,2000}\)|[^\n;#]{1,500})")
_BRACED = pattern(r"\bimport\s+(?:type\s+)?(?:\w+\s*,\s*)?\{([^}]{1,2000})\}\s*from\s+['\"]([^'\"\n]{1,200})['\"]")
_USE = pattern(r"\buse\s+((?:\w+::){1,8})\{([^}]{1,2000})\}")
_RENAMED = pattern(r"\bas\s+\w+")
_NAME = pattern(r"[A-Za-z_$][\w$]*")


def module_named(evidence: Evidence) -> Scores:
    """Files of a dotted module in the task; for a package, which re-exports, the files with the imported names."""
    scores: Scores = {}
    taken = taken_names(evidence.reading)
    for module in evidence.reading.mentions.modules:
        files = _files_of(evidence, module)
        files = _files_behind_package(evidence, files, taken.get(module, ()))
        for number in files if len(files) <= MOST_FILES else ():
            scores[number] = scores.get(number, 0.0) + 1.0 / len(files)
    return scores


def member_named(evidence: Evidence) -> Scores:
    """Files that define both parts of an ``A.b`` in the task."""
    scores: Scores = {}
    pairs = [pair for module in evidence.reading.mentions.modules for pair in pairwise(_parts(module))]
    definers = evidence.having(DEFINED, {name for pair in pairs for name in pair})
    for owner, member in pairs:
        both = set(definers.get(owner, ())) & set(definers.get(member, ()))
        for number in both:
            scores[number] = scores.get(number, 0.0) + 1.0 / len(both)
    return scores


def taken_names(reading: TaskReading) -> dict[str, list[str]]:
    """The names that import statements in a task import, by module as written."""
    taken: dict[str, list[str]] = {}
    for module, names in imports(f"{reading.prose}\n{reading.pasted}"):
        taken.setdefault(module, []).extend(names)
    return taken


def imports(text: str) -> Iterator[tuple[str, list[str]]]:
    """(module as written, imported names) of each import statement in a text: Python, JavaScript, Rust."""
    statements: list[tuple[str, str]] = _FROM.findall(text)
    statements += [(module, names) for names, module in _BRACED.findall(text)]
    statements += [(module.removesuffix("::"), names) for module, names in _USE.findall(text)]
    for module, names in statements:
        yield module, _NAME.findall(_RENAMED.sub(" ", names))


def _files_of(evidence: Evidence, module: str) -> list[int]:
    """The files of the longest prefix of a dotted name that is a module."""
    parts = _parts(module)
    for count in range(len(parts), 1, -1):
        named = _stems(evidence, [parts[count - 1]])
        files = [number for number in named if _is_module(evidence.file(number).path, parts[:count])]
        if 0 < len(files) <= MOST_FILES:
            return files
    return []


def _parts(module: str) -> list[str]:
    return [part for part in re.split(r"\W+", module.lower()) if part]


def _is_module(path: str, parts: list[str]) -> bool:
    folder, _, name = path.lower().rpartition("/")
    stem = name.partition(".")[0]
    full_name = folder if stem in HOLLOW else f"{folder}/{stem}"
    return f"/{full_name}".endswith("/" + "/".join(parts))


def _stems(evidence: Evidence, stems: Iterable[str]) -> Iterator[int]:
    for files in evidence.having(STEM, stems).values():
        yield from files


def _files_behind_package(evidence: Evidence, files: list[int], names: Sequence[str]) -> list[int]:
    """For package files: files below that define ``names``; without names, also the module named like its package."""
    folders = [_folder(evidence, number) for number in files]
    if not all(evidence.file(file).path.rpartition("/")[2].partition(".")[0] in HOLLOW for file in files):
        return files
    if names:
        definers = evidence.having(DEFINED, [name.lower() for name in names]).values()
        below = [
            file
            for files_defining in definers
            for file in files_defining
            if _folder(evidence, file).startswith(tuple(folders))
        ]
        return [file for file in dict.fromkeys(below) if file not in files] or files
    alike = _stems(evidence, [folder[:-1].rpartition("/")[2].lower() for folder in folders])
    return list(dict.fromkeys([*files, *(file for file in alike if _folder(evidence, file) in folders)]))


def _folder(evidence: Evidence, number: int) -> str:
    return evidence.file(number).path.rpartition("/")[0] + "/"
