"""Reads file contents from a recording: what files held before and after a call, and what changed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ctxe.domain.pattern import pattern
from ctxe.domain.section import digest
from ctxe.domain.value import dataclass

_FILES = pattern(r"^\*\*\* (Update|Add|Delete) File: (.+)\n((?:(?!\*\*\* ).*\n?)*)", re.M)


@dataclass(frozen=True, slots=True)
class Content:
    """A file before and after a recorded call, as content hashes: empty for no file, None if not recorded.

    ``diff`` holds the changed lines, as far as they were recorded.
    """

    path: str
    before: str | None = None
    after: str | None = None
    diff: str = ""


def of_touches(touches: Any, display: str) -> Iterator[Content]:
    """From a ctxe log: every file that a tool read or changed, with its hash afterwards."""
    for touch in touches if isinstance(touches, list) else ():
        if not isinstance(touch, dict) or not isinstance(path := touch.get("path"), str):
            continue
        content, operation = str(touch.get("digest") or ""), touch.get("operation")
        before = content if operation == "read" else "" if operation == "create" else None
        yield Content(path, before, content, "" if operation == "read" else display)


def of_claude(told: Any) -> Iterator[Content]:
    """From the ``toolUseResult`` beside a result in a Claude Code log: whole texts of files read or changed."""
    if not isinstance(told, dict):
        return
    file, path = told.get("file"), told.get("filePath")
    if isinstance(file, dict) and isinstance(file.get("filePath"), str):
        whole = file.get("startLine") == 1 and file.get("numLines") == file.get("totalLines")
        content = _hash(file.get("content")) if whole else None
        yield Content(file["filePath"], content, content)
    elif isinstance(path, str) and "oldString" in told:
        yield _of_edit(path, told)
    elif isinstance(path, str):
        before = "" if told.get("type") == "create" else _hash(told.get("originalFile"))
        yield Content(path, before, _hash(told.get("content")), _diff_lines("", told.get("content")))


def of_patch(patch: str) -> Iterator[Content]:
    """From the text of an ``apply_patch``: the files it names. Only an added file has its whole content there."""
    for kind, path, body in _FILES.findall(patch):
        added = "".join(line[1:] for line in body.splitlines(keepends=True) if line.startswith("+"))
        after = digest(added) if kind == "Add" and added.endswith("\n") else "" if kind == "Delete" else None
        yield Content(path.strip(), "" if kind == "Add" else None, after, body)


def _of_edit(path: str, result: Mapping[str, Any]) -> Content:
    text, old, new = result.get("originalFile"), result.get("oldString"), result.get("newString")
    after = None
    if isinstance(text, str) and isinstance(old, str) and isinstance(new, str) and old and old in text:
        after = digest(text.replace(old, new) if result.get("replaceAll") else text.replace(old, new, 1))
    return Content(path, _hash(text), after, _diff_lines(old, new))


def _hash(text: Any) -> str | None:
    return digest(text) if isinstance(text, str) else None


def _diff_lines(old: Any, new: Any) -> str:
    """The change as diff lines, without the lines that both texts have."""
    before, after = (text.splitlines() if isinstance(text, str) else [] for text in (old, new))
    removed = [f"-{line}" for line in before if line not in after]
    return "\n".join([*removed, *(f"+{line}" for line in after if line not in before)])
