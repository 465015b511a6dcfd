"""Finds, in git's history, the new path of a missing file that memories cite."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ctxe.domain.value import replace
from ctxe.knowledge.upkeep.evidence import with_hashes
from ctxe.project.memory.evidence import facts_of

if TYPE_CHECKING:
    from ctxe.knowledge.entries.entry import Entry
    from ctxe.project import Project

MOST_MOVES = 5
"""Most moves of one file to follow."""


def new_paths(project: Project, entry: Entry) -> dict[str, str]:
    """New paths of the missing files that an entry cites, by old path; files that cannot be found are left out."""
    cited = [item.partition(" ")[2].partition("@")[0] for item in entry.evidence if item.startswith("file ")]
    exists = facts_of(project).file
    found = {
        path: _current_path(project, path, exists) for path in dict.fromkeys((*entry.files, *cited)) if not exists(path)
    }
    return {path: now for path, now in found.items() if now}


def update_citations(project: Project, entry: Entry, places: dict[str, str]) -> None:
    """Update an entry's citations to the new paths of its files. Raises StoreError."""
    files = tuple(dict.fromkeys(places.get(path, path) for path in entry.files))
    evidence = tuple(_moved_citation(item, places) for item in entry.evidence)
    new = with_hashes(replace(entry, files=files, evidence=evidence), facts_of(project))
    project.store.change(entry.id, files=new.files, evidence=new.evidence)


def _moved_citation(item: str, places: dict[str, str]) -> str:
    kind, _, name = item.partition(" ")
    path = name.partition("@")[0]
    return f"file {places[path]}" if kind == "file" and path in places else item


def _current_path(project: Project, path: str, exists: Callable[[str], bool]) -> str:
    """Follow the renames of a path to where the file lies today; empty when it was deleted."""
    for _ in range(MOST_MOVES):
        path = _renamed(project, path)
        if not path or exists(path):
            return path
    return ""


def _renamed(project: Project, path: str) -> str:
    """The path to which the newest commit that deleted ``path`` moved it; empty when git sees no rename."""
    git = project.git
    last = git.output("log", "-1", "--format=%H", "--diff-filter=D", "--", f":(literal){path}")
    if not last or not last.strip():
        return ""
    commit = last.decode().strip()
    output = git.output("show", "-z", "-M", "--format=", "--diff-filter=R", "--name-status", commit) or b""
    parts = output.decode("utf-8", "replace").strip("\0").split("\0")
    return next((new for old, new in zip(parts[1::3], parts[2::3], strict=False) if old == path), "")
