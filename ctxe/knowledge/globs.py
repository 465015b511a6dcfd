"""Path patterns as instruction files write them: ``src/**/*.ts``, ``*.{ts,tsx}``, ``docs/``."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from ctxe.domain.pattern import pattern

LONGEST = 400
"""Characters of a pattern; a longer one matches nothing."""
MOST = 200
"""Patterns that one pattern may expand to through its braces."""
_BRACES = pattern(r"\{([^{}]*)\}")
_PIECE = pattern(r"(?:(?<=/)|\A)\*\*/|\*\*|\*|\?|\[.[^\]]*\]|.", re.DOTALL)
_ANY_DEPTH = {"**/": "(?:[^/]+/)*?", "**": ".*?"}


def matches(path: str, globs: Iterable[str]) -> bool:
    """Whether any of the patterns matches the path, which is relative to the root. No patterns match nothing."""
    return any(pattern.fullmatch(path) for glob in globs if (pattern := _compiled(glob)))


def split(words: str) -> tuple[str, ...]:
    """The patterns in one line, separated by commas outside braces, without quotes and brackets."""
    parts = re.split(r",(?![^{]*\})", words)
    return tuple(part for part in (piece.strip().strip("\"'[]").strip() for piece in parts) if part)


def scope(*given: str | tuple[str, ...] | None) -> tuple[str, ...]:
    """The patterns in the first value that has any; front matter names its scope by several keys, in this order."""
    for value in given:
        if isinstance(value, tuple) and value:
            return value
        if isinstance(value, str) and value:
            return split(value.replace("\n", ","))
    return ()


@lru_cache(maxsize=1024)
def _compiled(glob: str) -> re.Pattern[str] | None:
    """The regex of a pattern; None if invalid. "x" matches at any depth, "x/" everything below x."""
    glob = glob.strip().removeprefix("./").lstrip("/")
    if not glob or len(glob) > LONGEST:
        return None
    if glob.endswith("/"):
        glob += "**"
    if "/" not in glob and glob != "**":
        glob = "**/" + glob
    opened = _expanded(glob)
    try:
        return re.compile("|".join(map(_regex_of, opened))) if opened else None
    except re.error:
        return None


def _expanded(glob: str) -> list[str]:
    """The patterns without braces that a pattern expands to; none when there are more than MOST."""
    plain: list[str] = []
    queue = [glob]
    while queue:
        next_glob = queue.pop()
        if found := _BRACES.search(next_glob):
            queue += [next_glob[: found.start()] + part + next_glob[found.end() :] for part in found[1].split(",")]
        else:
            plain.append(next_glob)
        if len(plain) + len(queue) > MOST:
            return []
    return plain


def _regex_of(glob: str) -> str:
    """The regex of a pattern without braces. Its groups are atomic, so that many stars do not slow matching down.

    The nearest match of the text between two stars is as good as any later one, so backtracking into it is useless. The
    same holds for everything between two ``**``.
    """
    runs: list[list[str]] = [[""]]
    for piece in _PIECE.findall(glob):
        if piece in _ANY_DEPTH:
            runs.append([_ANY_DEPTH[piece]])
        elif piece == "*":
            runs[-1].append("[^/]*?")
        else:
            runs[-1][-1] += _character_regex(piece)
    *before, last = (run[0] + "".join(map(_atomic, run[1:-1])) + "".join(run[1:][-1:]) for run in runs)
    return "".join(map(_atomic, before)) + last


def _atomic(pattern: str) -> str:
    return f"(?>{pattern})"


def _character_regex(piece: str) -> str:
    """The regex for one character: itself, any except a slash, or a character class."""
    if len(piece) == 1:
        return "[^/]" if piece == "?" else re.escape(piece)
    inside = piece[1:-1].replace("\\", "\\\\")
    return "(?!/)[" + ("^" + inside[1:] if inside[0] in "!^" else inside) + "]"
