"""Shells ask for completions as their scripts do, and get commands, groups and options."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.harness import ctxe, environment


@pytest.mark.parametrize(
    ("typed", "place", "wanted"),
    [
        ("ctxe mem", 1, ["memory"]),
        ("ctxe failures re", 2, ["resolve"]),
        ("ctxe plan --b", 2, ["--budget"]),
        ("ctxe zzz", 1, []),
    ],
)
def test_bash_gets_commands_groups_and_options(
    home: Path, tmp_path: Path, typed: str, place: int, wanted: list[str]
) -> None:
    asked = {"_CTXE_COMPLETE": "complete_bash", "COMP_WORDS": typed, "COMP_CWORD": str(place)}
    done = ctxe(tmp_path, environment(home, **asked))
    assert (done.out.split(), done.err) == (wanted, "")


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_zsh_and_fish_get_the_same_completions(home: Path, tmp_path: Path, shell: str) -> None:
    asked = {"_CTXE_COMPLETE": f"complete_{shell}", "_TYPER_COMPLETE_ARGS": "ctxe mem"}
    done = ctxe(tmp_path, environment(home, **asked, _TYPER_COMPLETE_FISH_ACTION="get-args"))
    assert "memory" in done.out
    assert "plan" not in done.out
    assert done.err == ""


def test_the_generated_script_completes_in_bash(home: Path, tmp_path: Path) -> None:
    bash = shutil.which("bash")
    assert bash
    (tmp_path / "ctxe").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m ctxe "$@"\n')
    (tmp_path / "ctxe").chmod(0o755)
    env = environment(home)
    (tmp_path / "script").write_text(ctxe(tmp_path, env, "completion", "bash").out)
    ask = "source ./script; COMP_WORDS=(./ctxe deci); COMP_CWORD=1; _ctxe_completion ./ctxe; echo ${COMPREPLY[@]}"
    done = subprocess.run(
        [bash, "--norc", "-c", ask], cwd=tmp_path, env=env, capture_output=True, text=True, check=True
    )
    assert (done.stdout, done.stderr) == ("decisions\n", "")
