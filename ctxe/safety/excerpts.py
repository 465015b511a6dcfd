"""Removing excerpts of secret files from the output of programs: diff hunks, and lines that grep found.

Allowing git to show a change does not mean allowing it to show a secret file, and a question for every ``git diff`` in
a tree with a ``.env`` would be answered without reading. So such excerpts are replaced by a line that says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

from ctxe.domain.pattern import pattern
from ctxe.safety.secrets import is_secret_file

LEFT_OUT = "[left out: {name} may hold keys and passwords; it is shown only when the user allows reading it]"
_HEADER = pattern(r"diff --(?:git|cc|combined) (?P<names>.+)$")
_COMMIT = pattern(r"\W{0,20}commit [0-9a-f]{7,64}\b")
_CONTEXT_LINE = pattern(r"(\S{1,400}?)[=-]\d+[=-]")
_JOINT = pattern(r'"?[=-]')
_BRACED = pattern(r"[@^]\{[^}\n]{0,100}\}")
"""The part of a revision that may hold colons: a time, or words of a message."""
LINE_HEAD = 600
"""Characters of a line in which a file's name is looked for."""


def without_secret_files(text: str) -> str:
    """The text with each excerpt of a secret file replaced by one line."""
    shown_lines = list[str]()
    for line, name in _sources(text.split("\n")):
        shown = LEFT_OUT.format(name=name) if name else line
        if not name or shown_lines[-1:] != [shown]:
            shown_lines.append(shown)
    return "\n".join(shown_lines)


def _sources(lines: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Each line with the secret file that it is from; empty for other lines."""
    secret_name = ""
    names = [next(filter(_holds_keys, _possible_names(line)), "") for line in lines]
    names_by_head = {line[: line.find(name) + len(name)]: name for line, name in zip(lines, names, strict=True) if name}
    for line, name in zip(lines, names, strict=True):
        if (header := _HEADER.search(line)) is not None:
            secret_name = next((name for name in header["names"].replace('"', " ").split() if _holds_keys(name)), "")
            yield line, ""
        elif _COMMIT.match(line):
            secret_name = ""
            yield line, ""
        elif secret_name:
            yield line, secret_name
        else:
            yield line, name or (_beside(line, names_by_head) if names_by_head else "")


def _possible_names(line: str) -> Iterator[str]:
    """Possible file names of a line that grep found: ``name:``, ``revision:name:``, ``name-12-``."""
    head = line[:LINE_HEAD]
    if ":" in head:
        rest = _BRACED.sub("", head) if "{" in head else head
        for piece in rest.split(":", 2)[:-1]:
            name, rest = piece.strip('"'), rest[len(piece) + 1 :]
            if name and "\t" not in name and (" " not in name or _is_spaced_path(name, rest)):
                yield name
    if context_line := _CONTEXT_LINE.match(line):
        yield context_line[1]


def _is_spaced_path(name: str, after: str) -> bool:
    """Whether words before a colon may be a path with blanks, and not a sentence about a file."""
    return "/" in name.strip() == name and after[:1] not in ("", " ")


def _beside(line: str, names_by_head: Mapping[str, str]) -> str:
    """The secret file of a line that grep prints around a match in it: ``name-text``, ``name=text``."""
    heads = (line[: joint.start()] for joint in _JOINT.finditer(line, 0, LINE_HEAD))
    return next((names_by_head[head] for head in heads if head in names_by_head), "")


@lru_cache(4096)
def _holds_keys(name: str) -> bool:
    """Whether a name, with or without git's prefix (``a/``, ``b/``), is that of a secret file."""
    return is_secret_file(name) or is_secret_file(name.partition("/")[2])
