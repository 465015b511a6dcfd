"""What holds in an index while others work at it, files change under it, and commits touch everything."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from ctxe.repo.git import Git
from ctxe.repo.indexing.index import Index


def git(root: Path, *args: str) -> None:
    subprocess.run(["git", "-C", str(root), *args], check=True, capture_output=True)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "tree"
    root.mkdir()
    for name in ("cup", "pot"):
        (root / f"{name}.py").write_text(f"def {name}():\n    return 1\n")
    git(root, "init", "-q")
    git(root, "add", ".")
    git(root, "commit", "-qm", "Pour the tea")
    return root


def opened(tree: Path) -> Index:
    return Index(tree, Git(tree, os.environ), tree.parent / "index.db", 1)


def test_what_another_session_read_meanwhile_is_not_read_again(tree: Path) -> None:
    one, other = opened(tree), opened(tree)
    scanned: list[int] = []
    done = one.refresh(lambda *_: scanned.append(other.refresh().scanned))
    assert (scanned, done.scanned, done.total) == ([2], 0, 2)
    assert [file._replace(scanned=0) for file in one.files.values()] == [
        file._replace(scanned=0) for file in other.files.values()
    ]


def test_the_lines_of_a_file_that_changed_since_are_not_counted(tree: Path) -> None:
    index = opened(tree)
    index.refresh()
    (tree / "cup.py").write_text("def cup():\n    return 'something longer'\n")
    assert index.count_exactly() == 1
    counted = {index.files[number].path: bool(inside.line_tokens) for number, inside in index.details([1, 2]).items()}
    assert counted == {"cup.py": False, "pot.py": True}


def test_a_commit_that_sweeps_over_everything_says_nothing_of_its_files(tree: Path) -> None:
    for number in range(41):
        (tree / f"m{number}.py").write_text(f"def name_{number}(): ...\n")
    git(tree, "add", ".")
    git(tree, "commit", "-qm", "Reformat everything")
    index = opened(tree)
    index.refresh()
    assert [len(index.changed_in(commit)) for commit in range(len(index.history))] == [2, 0]
    assert index.messages(["reformat"]) == {}
