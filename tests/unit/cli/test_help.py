"""``--help`` of every command: no Python types, nothing cut off, and examples that are valid command lines."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from typing import Any

import pytest

from ctxe.cli.app import build
from ctxe.cli.front_page import COMMANDS
from ctxe.cli.help import EXAMPLES

TYPES = ("<str>", "list[", "<int", "<float", "x>=", "[default: 0", "[[", "]...]", "None")


def paths(command: Any, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    inner = getattr(command, "commands", {})
    return [path, *(one for name, below in inner.items() for one in paths(below, (*path, name)))]


def test_help_shows_no_python_types_and_cuts_no_text(capsys: pytest.CaptureFixture[str]) -> None:
    command = build(COMMANDS)
    for path in paths(command):
        command(args=[*path, "--help"], prog_name="ctxe", standalone_mode=False)
        usage, *rows = capsys.readouterr().out.splitlines()
        assert usage.startswith(" ".join(["Usage: ctxe", *path]))
        assert [sign for sign in TYPES if sign in "\n".join([usage, *rows])] == [], path
        assert [row for row in rows if row.endswith("...") or len(row) > 80] == [], path


ASKED = """
import sys
from ctxe.cli.app import main
main(["--help"])
print("loaded:", *sorted({"typer", "ctxe.config"} & set(sys.modules)))
"""


def test_the_prepared_front_page_equals_the_one_of_typer_except_in_narrow_windows(
    capsys: pytest.CaptureFixture[str],
) -> None:
    build([])(args=["--help"], prog_name="ctxe", standalone_mode=False)
    printed = capsys.readouterr().out
    told = [
        subprocess.run(
            [sys.executable, "-c", ASKED],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "COLUMNS": columns},
        ).stdout
        for columns in ("80", "200", "60")
    ]
    *wide, narrow = told
    assert wide == [printed + "loaded:\n"] * 2
    assert max(map(len, narrow.partition("Examples:")[0].splitlines())) < 60
    assert narrow.endswith("loaded: ctxe.config typer\n")


def test_help_shows_choices_and_meaningful_defaults(capsys: pytest.CaptureFixture[str]) -> None:
    build(["chat"])(args=["chat", "--help"], prog_name="ctxe", standalone_mode=False)
    told = capsys.readouterr().out
    assert "--approval <ask|auto-edit|auto|read-only>" in told
    assert "[default: text]" in told
    assert "--budget N  " in told


def test_examples_in_help_are_valid_command_lines() -> None:
    root = build(COMMANDS)
    for line in (line for some in EXAMPLES.values() for line in some):
        typed = line.split("    ")[0].partition(" > ")[0].rpartition("| ")[2]
        program, *words = shlex.split(typed)
        assert program == "ctxe", line
        command, given = root, words if words[:1] and words[0] in COMMANDS else ["chat", *words]
        while given and given[0] in getattr(command, "commands", {}):
            command, given = command.commands[given[0]], given[1:]
        assert command.make_context("ctxe", list(given)).params.keys() == {one.name for one in command.params}
