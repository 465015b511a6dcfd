"""Removing excerpts of secret files from the output of programs: diff hunks, and lines that grep found.

Allowing git to show a change does not mean allowing it to show a secret file, and a question for every ``git diff`` in
a tree with a ``.env`` would be answered without reading. So such excerpts are replaced by a line that says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

from ctxe.domain.pattern import pattern
from ctxe.safety.secrets import is_secret_file

LEFT_OUT = "[left out: {name} may hold keys and passwords; it is shown only when the user allows reading it]"
_HEADER = pattern(r"diff --(?:git|cc|combined) (?P<names>.+)$")
_COMMIT = pattern(r"\W{0,20}commit [0-9a-f]{7,64}\b")
_NEAR = pattern(r"(\S{1,400}?)[=-]\d+[=-]")


def without_secret_files(text: str) -> str:
    """The text with each excerpt of a secret file replaced by one line."""
    kept = list[str]()
    for line, name in _sources(text.split("\n")):
        said = LEFT_OUT.format(name=name) if name else line
        if not name or kept[-1:] != [said]:
            kept.append(said)
    return "\n".join(kept)


def _sources(lines: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Each line with the secret file that it is from; empty for other lines."""
    hunk = ""
    for line in lines:
        if (header := _HEADER.search(line)) is not None:
            hunk = next((name for name in header["names"].replace('"', " ").split() if _holds_keys(name)), "")
            yield line, ""
        elif _COMMIT.match(line):
            hunk = ""
            yield line, ""
        elif hunk:
            yield line, hunk
        else:
            yield line, next((name for name in _named(line) if _holds_keys(name)), "")


def _named(line: str) -> Iterator[str]:
    """Possible file names of a line that grep found: ``name:``, ``revision:name:``, ``name-12-``."""
    for name in line[:600].split(":", 2)[:-1]:
        if name and not name.isspace() and " " not in name and "\t" not in name:
            yield name
    if near := _NEAR.match(line):
        yield near[1]


@lru_cache(4096)
def _holds_keys(name: str) -> bool:
    """Whether a name, with or without git's prefix (``a/``, ``b/``), is that of a secret file."""
    return is_secret_file(name) or is_secret_file(name.partition("/")[2])
