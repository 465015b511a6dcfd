"""Which branch and which commit is checked out, however git keeps them."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from ctxe.repo.git import Git
from tests.repositories import git


def test_the_branch_equals_what_git_reports(tmp_path: Path) -> None:
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


def test_an_unfinished_merge_or_rebase_is_noticed(tmp_path: Path) -> None:
    root, linked = tmp_path / "tree", tmp_path / "linked"
    root.mkdir()
    (root / "rebase-merge").mkdir()
    assert Git(root, os.environ).under_way() == ""
    git(root, "init", "-q", "-b", "tea")
    git(root, "commit", "-q", "--allow-empty", "-m", "A")
    git(root, "worktree", "add", "-q", "-b", "cup", str(linked))
    for place, branch in ((root, "tea"), (linked, "cup")):
        asked = Git(place, os.environ)
        (place / "a").write_text(f"{branch}\n")
        git(place, "add", ".")
        git(place, "commit", "-qm", branch)
        assert asked.under_way() == ""
        git(place, "checkout", "-qb", f"{branch}-2", "HEAD~1")
        (place / "a").write_text("other\n")
        git(place, "add", ".")
        git(place, "commit", "-qm", "other")
        for what in ("merge", "rebase", "cherry-pick"):
            subprocess.run(["git", what, branch], cwd=place, capture_output=True, check=False)
            assert asked.under_way() == what
            git(place, what, "--abort")
            assert asked.under_way() == ""


def test_the_commit_is_read_from_plain_files_and_equals_gits(tmp_path: Path) -> None:
    root = tmp_path / "tree"
    root.mkdir()
    asked = Git(root, os.environ)
    assert asked.commit() == ""
    git(root, "init", "-q", "-b", "tea/pot")
    assert asked.commit() == ""
    git(root, "commit", "-q", "--allow-empty", "-m", "A")
    first = git(root, "rev-parse", "HEAD").strip()
    assert asked.commit() == first
    git(root, "checkout", "-q", "--detach")
    git(root, "commit", "-q", "--allow-empty", "-m", "B")
    assert asked.commit() == git(root, "rev-parse", "HEAD").strip() != first
    git(root, "checkout", "-q", "tea/pot")
    git(root, "pack-refs", "--all")
    assert asked.commit() == ""  # git must be asked
    git(root, "commit", "-q", "--allow-empty", "-m", "C")
    assert asked.commit() == git(root, "rev-parse", "HEAD").strip()
    (root / ".git" / "refs" / "heads" / "tea" / "pot").write_text("not a commit\n")
    assert asked.commit() == ""
