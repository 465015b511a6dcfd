"""Values of options reach their command as Typer would pass them, and plain ones without its type reader."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer

from ctxe.cli.app import build, main
from ctxe.cli.front_page import COMMANDS

STARTED = """
import contextlib, io, sys
from ctxe.cli.app import main
with contextlib.redirect_stdout(io.StringIO()):
    main(sys.argv[1:])
print(*sorted({"pydantic", "typer", "openai", "tiktoken", "numpy", "ctxe.project.session"} & sys.modules.keys()))
"""


def taken(*words: str) -> dict[str, Any]:
    """What a command is called with, Typer's own reading beside it."""
    found: list[dict[str, Any]] = []
    for ours in (True, False):
        command: Any = build(COMMANDS).commands[words[0]]
        given = list(words[1:])
        while given and given[0] in getattr(command, "commands", {}):
            command, given = command.commands[given[0]], given[1:]
        for parameter in () if ours else command.params:
            parameter._runtime_param = None
        found.append(command.make_context("ctxe", given).params)
    assert found[0] == found[1]
    assert {key: type(value) for key, value in found[0].items()} == {
        key: type(value) for key, value in found[1].items()
    }
    return found[0]


@pytest.mark.parametrize(
    ("words", "value"),
    [
        (("memory", "show", "12", "--all", "--kind", "fact"), {"entry": "12", "all_": True, "kind": "fact"}),
        (("memory", "search", "two", "words", "-k", "3"), {"words": ["two", "words"], "k": 3}),
        (("memory", "review", "--merge", "a", "b"), {"merge": ("a", "b")}),
        (("chat", "--max-cost", "0.5", "--approval", "auto", "--read", "a", "--read", "b"), {"read": ["a", "b"]}),
        (("chat",), {"max_cost": 0.0, "approval": None, "budget": 0, "output_format": "text"}),
        (("cost", "--by", "model"), {"by": "model"}),
    ],
)
def test_a_command_gets_the_values_that_typer_would_read(words: tuple[str, ...], value: dict[str, Any]) -> None:
    assert value.items() <= taken(*words).items()


@pytest.mark.parametrize("words", [("memory", "search", "x", "-k", "many"), ("cost", "--by", "moon")])
def test_a_bad_option_value_is_refused(words: tuple[str, ...]) -> None:
    with pytest.raises(typer.BadParameter):
        taken(*words)
    assert main(list(words)) == 2


@pytest.mark.parametrize(
    ("words", "taken"),
    [
        (("memory", "show"), "\n"),
        (("memory", "stats"), "typer\n"),
        (("sessions", "list"), "typer\n"),
        (("failures", "list"), "typer\n"),
        (("decisions", "list"), "typer\n"),
        (("cost",), "typer\n"),
    ],
)
def test_a_listing_imports_no_reader_of_types(words: tuple[str, ...], taken: str, tmp_path: Path) -> None:
    """Nor anything of a session: pydantic alone was half of the time of a listing."""
    run = subprocess.run(
        [sys.executable, "-c", STARTED, *words], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert (run.stdout, run.stderr) == (taken, "")
