"""Which branch is checked out, however git keeps it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from ctxe.repo.git import Git


def git(root: Path, *words: str) -> str:
    return subprocess.run(["git", "-C", str(root), *words], check=True, capture_output=True, text=True).stdout


def test_the_branch_is_what_git_says(tmp_path: Path) -> None:
    root, linked = tmp_path / "tree", tmp_path / "linked"
    root.mkdir()
    asked = Git(root, os.environ)
    assert asked.branch() == ""
    git(root, "init", "-q", "-b", "tea/pot")
    assert asked.branch() == ""
    (root / "a").write_text("a\n")
    git(root, "add", ".")
    git(root, "commit", "-qm", "A")
    assert asked.branch() == "tea/pot"
    git(root, "pack-refs", "--all")
    assert asked.branch() == "tea/pot"
    git(root, "worktree", "add", "-q", "-b", "cup", str(linked))
    assert Git(linked, os.environ).branch() == "cup"
    git(root, "checkout", "-q", "--detach")
    assert asked.branch() == "HEAD"
