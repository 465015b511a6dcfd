"""What a warm start does not do: it asks git once, and imports neither a model's library nor a tokenizer."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ctxe.repo.files import LISTING
from tests.e2e.harness import ctxe, environment, git, repository

COUNTING = """#!/bin/sh
echo "$@" >> "{log}"
exec "{git}" "$@"
"""
IMPORTED = """
import contextlib, io, sys
from ctxe.cli.app import main
with contextlib.redirect_stdout(io.StringIO()):
    main(sys.argv[1:])
print(*sorted({"openai", "anthropic", "tiktoken", "pydantic", "numpy", "typer", "tree_sitter"} & sys.modules.keys()))
"""


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return repository(
        tmp_path / "demo", {"parser.py": "def parse(text):\n    return text\n", "AGENTS.md": "Use tabs.\n"}
    )


def test_a_warm_start_runs_git_once_to_list_the_files(tmp_path: Path, home: Path, repo: Path) -> None:
    log, found = tmp_path / "asked", shutil.which("git")
    (tmp_path / "bin").mkdir()
    counting = tmp_path / "bin" / "git"
    counting.write_text(COUNTING.format(log=log, git=found))
    counting.chmod(0o755)
    env = environment(home, PATH=f"{counting.parent}{os.pathsep}{os.environ['PATH']}")
    words = ("budget", "fix the parser", "--json")
    assert "parser.py" in ctxe(repo, env, *words).out
    log.unlink()
    assert "parser.py" in ctxe(repo, env, *words).out
    assert [line.split()[-len(LISTING) :] for line in log.read_text().splitlines()] == [[*LISTING]]
    git(repo, "commit", "-q", "--allow-empty", "-m", "Begin again")
    log.unlink()
    ctxe(repo, env, *words)
    assert "rev-parse" in log.read_text()


@pytest.mark.parametrize("words", [("budget", "fix the parser"), ("plan", "fix the parser")])
def test_a_warm_start_imports_no_library_that_it_does_not_need(home: Path, repo: Path, words: tuple[str, ...]) -> None:
    env = environment(home)
    ctxe(repo, env, *words)
    run = subprocess.run(
        [sys.executable, "-c", IMPORTED, *words], cwd=repo, env=env, capture_output=True, text=True, check=True
    )
    assert (run.stdout, run.stderr) == ("\n", "")
