"""Paths in a task that no plan can show: missing files, and files that do not belong to the project."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from ctxe.domain.pattern import pattern
from ctxe.repo.kinds import language, suffix

if TYPE_CHECKING:
    from ctxe.project import Project
    from ctxe.repo.indexing.index import Index

MOST = 3
"""Most paths to report."""
LONGEST = 400
_PLACE = pattern(r"[:#]L?\d+(?:[:-]L?\d+)?$")


def unplanned_lines(project: Project, index: Index, words: str) -> tuple[str, ...]:
    """One line for each path in the words that the plan cannot show, with the reason."""
    named = list(dict.fromkeys(_named(words)))
    known = [f"/{path.lower()}" for path in index.files.by_path] if named else []
    reasons = (_why(project, path, known) for path in named)
    return tuple(why for why in reasons if why)[:MOST]


def _named(words: str) -> list[str]:
    """Words that look like paths: with a folder and a file extension, or one of them when it is the only word."""
    stripped = [word.strip("\"'`()[]{}<>,;!?*").rstrip(".:") for word in words.split()]
    paths = [_PLACE.sub("", word).removeprefix("@") for word in stripped if "://" not in word and len(word) < LONGEST]
    inner = [path for path in paths if path and path[0] not in "/~-$"]
    ending = {path: bool(suffix(path) and language(path)) for path in inner}
    enough = 1 if len(stripped) == 1 else 2
    return [os.path.normpath(path) for path in inner if ending[path] + ("/" in path) >= enough]


def _why(project: Project, path: str, known: list[str]) -> str:
    """Why nothing of a path is planned; empty when the index has the path, or it lies outside the project."""
    lower = path.lower()
    if lower.startswith("..") or any(f"/{lower}/" in f"{one}/" for one in known):
        return ""
    places = [folder / path for folder in (project.root, project.place.working)]
    existing = next((place for place in places if os.path.lexists(place)), None)
    if existing is None:
        return f"{path}: there is no such file in this project"
    own = _within(project.root, existing)
    if own:
        return f"{path} is in a repository of its own: ctxe -C {own} plans there"
    return f"{path} is not among the project's files (ignored, or not a regular file), so nothing in it is planned"


def _within(root: Path, path: Path) -> str:
    """The nested repository that a path lies in, relative to the root; empty for none."""
    above = (folder for folder in (path, *path.parents) if folder != root and folder.is_relative_to(root))
    return next((folder.relative_to(root).as_posix() for folder in above if (folder / ".git").exists()), "")
