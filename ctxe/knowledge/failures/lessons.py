"""Writes the one-line lesson of a fix: the edit, the command that ran first, or the corrected call."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from difflib import SequenceMatcher
from itertools import takewhile

from ctxe.domain.pattern import pattern
from ctxe.knowledge.failures.changes import blocks
from ctxe.knowledge.failures.commands import outward
from ctxe.knowledge.failures.plain import impersonal

ROOM = 170
"""Characters of a lesson about edits; with the text around them about 60 tokens."""
LEAST, MOST = 24, 80
"""Minimum and maximum characters shown of a changed line, on each side."""
CONTEXT = 12
"""Characters shown before the point where two long lines differ."""
MOST_WORDS = 6
"""Maximum changed words for a lesson to show the difference of a corrected call rather than the whole call."""

_ASIDE = pattern(r"(?:#(?!include|define|if|end|!)|//|/?\*|--|;;|<!--|\"\"\"|''')")
"""Beginnings of comment lines."""
_PLACE = pattern(r"\(([^()\s]+):(\d+)\)$")
_HOW_TOLD = frozenset({"-q", "-v", "-vv", "--quiet", "--verbose"})


def of_edits(edits: Mapping[str, str], about: Collection[str] = (), error: str = "") -> str:
    """The lesson of edits (path → unified diff or ""): as many as fit ROOM, then the number of the others.

    Edits of files that the failure is ``about`` come first, then the newest. In a file whose line the ``error`` names,
    the change nearest to that line is shown.
    """
    place = _PLACE.search(error)
    lines = {place[1]: int(place[2])} if place else {}
    newest = list(edits)[::-1]
    order = sorted(newest, key=lambda path: path not in about)
    shown_by_path: dict[str, str] = {}
    room = ROOM
    for path in order:
        name = _short_path(path)
        shown = name + gist(_nearest_block(edits[path], lines.get(path, 0)), room - len(name) - 12)
        if shown_by_path and len(shown) > room:
            break
        shown_by_path[path] = shown
        room -= len(shown) + 2
    more = len(edits) - len(shown_by_path)
    parts = [shown_by_path[path] for path in edits if path in shown_by_path]
    return "edited " + "; ".join(parts) + (f"; and {more} more files" if more > 1 else "; and one more file" * more)


def _nearest_block(diff: str, line: int) -> str:
    """The block of changed lines nearest to a line of the old file; the whole diff for line 0."""
    code = [one for one in blocks(diff) if any(map(str.isalnum, "".join(one.removed + one.added)))] if line else []
    return str(min(code, key=lambda block: abs(block.at - line))) if code else diff


def of_commands(commands: Sequence[str]) -> str:
    """The lesson of commands that ran in between: the last two; "" for none."""
    last = list(dict.fromkeys(commands))[-2:]
    return "first ran " + " then ".join(f"`{_truncated(command, 90)}`" for command in last) if last else ""


def gist(diff: str, room: int = 2 * MOST) -> str:
    """The first removed and the first added line of code, in about ``room`` characters."""
    lines = [line for line in diff.splitlines() if line[:3] not in ("---", "+++")]
    removed = [line[1:].strip() for line in lines if line.startswith("-")]
    added = [line[1:].strip() for line in lines if line.startswith("+")]
    before, after = _first_distinct(removed, added), _first_distinct(added, removed)
    each = max(LEAST, min(MOST, room // 2 if before and after else room))
    if before and after:
        before, after = _cut_to_difference(before, after, each)
        return f": `{_truncated(before, each)}` → `{_truncated(after, each)}`"
    if after:
        return f": added `{_truncated(after, each)}`"
    return f": removed `{_truncated(before, each)}`" if before else ""


def of_call(wrong: str, right: str, root: str = "") -> str:
    """The lesson of a corrected call: the words that differ if they are few, else the whole line."""
    wrong, right = (outward(impersonal(line, root)) for line in (wrong, right))
    before, after = ([word for word in line.split(" ") if word not in _HOW_TOLD] for line in (wrong, right))
    opcodes = SequenceMatcher(a=before, b=after, autojunk=False).get_opcodes()
    ops = [op for op in opcodes if op[0] != "equal"]
    whole = _truncated(right, 120)
    if len(ops) != 1 or len(opcodes) == 1 or max(ops[0][2] - ops[0][1], ops[0][4] - ops[0][3]) > MOST_WORDS:
        return f"run `{whole}` instead"
    kind, i, j, k, m = ops[0]
    old, new = (_truncated(" ".join(part), 90) for part in (before[i:j], after[k:m]))
    if kind == "replace":
        return f"`{old}` → `{new}` (`{whole}`)"
    return f"run `{whole}` instead (" + (f"with `{new}`)" if kind == "insert" else f"without `{old}`)")


def _first_distinct(lines: Sequence[str], others: Sequence[str]) -> str:
    """The first line that the other side lacks, preferably a line of code."""
    distinct = [line for line in lines if line and line not in others]
    code = (line for line in distinct if not _ASIDE.match(line) and any(c.isalnum() for c in line))
    return next(code, distinct[0] if distinct else "")


def _cut_to_difference(before: str, after: str, most: int) -> tuple[str, str]:
    """Two lines, cut to start shortly before their first difference if either exceeds ``most`` characters."""
    same = takewhile(lambda pair: pair[0] == pair[1], zip(before, after, strict=False))
    start = sum(1 for _ in same) - CONTEXT
    if start < CONTEXT or max(len(before), len(after)) <= most:
        return before, after
    return f"…{before[start:]}", f"…{after[start:]}"


def _short_path(path: str) -> str:
    """The path; only its last three parts if it lies outside the project."""
    away = path.startswith(("/", "~", "..")) or path[1:3] == ":\\"
    return "…/" + "/".join(path.replace("\\", "/").split("/")[-3:]) if away else path


def _truncated(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"
