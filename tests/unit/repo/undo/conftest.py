"""Fixtures for undo: a repository with files of every kind, and its store of restore points."""

import os
import time
from pathlib import Path

import pytest

from ctxe.repo.git import Git
from ctxe.repo.undo.restore import Restore
from ctxe.repo.undo.snapshot import FEW_NEW_FILES
from tests.unit.repo.undo.trees import git


@pytest.fixture(params=[0, FEW_NEW_FILES], ids=["few", "many"])
def root(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A repository with a staged, an unstaged, a half-staged, an untracked, an ignored file and a link.

    With many files what git holds is not copied.
    """
    root = tmp_path / "repo"
    root.mkdir()
    git(root, "init", "-q", "-b", "main")
    for name in ("a.py", "b.py", "half.py", "pkg/c.py", "run.sh"):
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(f"# {name}\none\ntwo\nthree\n")
    (root / "run.sh").chmod(0o755)
    (root / "crlf.txt").write_bytes(b"a\r\nb\r\n")
    (root / ".gitignore").write_text(".env\nbuild/\n*.log\n.ctxe/\n")
    (root / "ln").symlink_to("a.py")
    for number in range(request.param):
        (root / f"many{number}.txt").write_text(f"{number}\n")
    git(root, "add", "-A")
    git(root, "commit", "-qm", "first")
    (root / "b.py").write_text("staged\n")
    git(root, "add", "b.py")
    (root / "half.py").write_text("half staged\n")
    git(root, "add", "half.py")
    (root / "half.py").write_text("half staged\nand more\n")
    (root / "pkg/c.py").write_text("unstaged\n")
    (root / "new.txt").write_text("untracked\n")
    (root / ".env").write_text("SECRET=1\n")
    (root / "build").mkdir()
    (root / "build/out.o").write_bytes(b"\0\1")
    return root


@pytest.fixture
def store(root: Path) -> Restore:
    return Restore(Git(root, {"PATH": os.environ["PATH"]}), root / ".ctxe/cache/restore", time.time)
