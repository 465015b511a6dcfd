"""Reporting what undo does not cover: changes in repositories inside this one, submodules included."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator

from ctxe.repo.files import LISTING
from ctxe.repo.git import Git

MOST_REPOSITORIES = 20
"""Most repositories inside this one that are looked into."""


def untouched_changes(git: Git, since: float, covered: Collection[str]) -> Iterator[str]:
    """A line for each inner repository with files, not ``covered``, that changed ``since`` (seconds of the epoch)."""
    for folder in _inner_repositories(git)[:MOST_REPOSITORIES]:
        names = (Git(git.root / folder, git.env).output(*LISTING) or b"").split(b"\0")
        paths = sorted({f"{folder}/{os.fsdecode(name)}" for name in names if name})
        changed = [path for path in paths if path not in covered and _ctime(git, path) > since]
        if changed:
            more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
            yield f"{folder} is a repository of its own; its later changes stay: {changed[0]}{more}"


def _inner_repositories(git: Git) -> list[str]:
    """Inner repositories, which git lists by the folder alone: submodules and untracked ones."""
    names = (os.fsdecode(name).rstrip("/") for name in (git.output(*LISTING) or b"").split(b"\0") if name)
    return [name for name in dict.fromkeys(names) if (git.root / name / ".git").exists()]


def _ctime(git: Git, path: str) -> float:
    """The change time (ctime) of a file in seconds since the epoch; 0 for a missing file."""
    try:
        return os.lstat(git.root / path).st_ctime
    except (OSError, ValueError):
        return 0.0
