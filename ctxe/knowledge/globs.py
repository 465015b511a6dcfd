"""Path patterns as instruction files write them: ``src/**/*.ts``, ``*.{ts,tsx}``, ``docs/``."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

LONGEST = 400


def matches(path: str, globs: Iterable[str]) -> bool:
    """Whether a path relative to the root is in scope of any of the patterns; no patterns match nothing."""
    return any(pattern.fullmatch(path) for glob in globs if (pattern := _compiled(glob)))


def split(words: str) -> tuple[str, ...]:
    """Patterns written in one line: between commas outside braces, quotes taken off."""
    parts = re.split(r",(?![^{]*\})", words)
    return tuple(part for part in (piece.strip().strip("\"'[]").strip() for piece in parts) if part)


@lru_cache(maxsize=1024)
def _compiled(glob: str) -> re.Pattern[str] | None:
    """A pattern without a slash matches at any depth, one that ends in a slash everything below it."""
    glob = glob.strip().removeprefix("./").lstrip("/")
    if not glob or len(glob) > LONGEST:
        return None
    if glob.endswith("/"):
        glob += "**"
    if "/" not in glob and glob != "**":
        glob = "**/" + glob
    try:
        return re.compile(_translated(glob))
    except re.error:
        return None


def _translated(glob: str) -> str:
    parts: list[str] = []
    at, depth = 0, 0
    while at < len(glob):
        sign = glob[at]
        if glob.startswith("**/", at):
            parts.append("(?:[^/]+/)*")
            at += 3
            continue
        if glob.startswith("**", at):
            parts.append(".*")
            at += 2
            continue
        if sign == "[" and (close := glob.find("]", at + 2)) > 0:
            inside = glob[at + 1 : close].replace("\\", "\\\\")
            parts.append("[" + ("^" + inside[1:] if inside[0] in "!^" else inside) + "]")
            at = close + 1
            continue
        depth += (sign == "{") - (sign == "}" and depth > 0)
        plain = {"*": "[^/]*", "?": "[^/]", "{": "(?:"}.get(sign)
        if plain is None:
            plain = {"}": ")", ",": "|"}.get(sign) if depth or sign == "}" else None
        parts.append(plain or re.escape(sign))
        at += 1
    return "".join(parts)
