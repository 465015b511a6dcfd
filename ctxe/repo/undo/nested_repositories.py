"""What undo does not reach: repositories inside this one, submodules too, whose files have a history of their own."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator

from ctxe.repo.files import LISTING
from ctxe.repo.git import Git

MOST = 20
"""Repositories inside this one that are looked into."""


def untouched_changes(git: Git, since: float, covered: Collection[str]) -> Iterator[str]:
    """A line for each repository inside with files that changed ``since`` (seconds since the epoch) and stay so."""
    for folder in _inside(git)[:MOST]:
        names = (Git(git.root / folder, git.env).output(*LISTING) or b"").split(b"\0")
        paths = sorted({f"{folder}/{os.fsdecode(name)}" for name in names if name})
        changed = [path for path in paths if path not in covered and _changed(git, path) > since]
        if changed:
            more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
            yield f"{folder} is a repository of its own, and what changed there since stays: {changed[0]}{more}"


def _inside(git: Git) -> list[str]:
    """Folders that git lists as one name: submodules, and repositories that nobody added."""
    names = (os.fsdecode(name).rstrip("/") for name in (git.output(*LISTING) or b"").split(b"\0") if name)
    return [name for name in dict.fromkeys(names) if (git.root / name / ".git").exists()]


def _changed(git: Git, path: str) -> float:
    """When a file or what is known of it changed last, in seconds since the epoch; 0 for none."""
    try:
        return os.lstat(git.root / path).st_ctime
    except (OSError, ValueError):
        return 0.0
