"""The quick way into ``ctxe budget`` and ``ctxe plan`` reads what Typer would read, and leaves the rest to it."""

from __future__ import annotations

from importlib import import_module

import pytest

from ctxe.cli.account import Wanted, parsed
from ctxe.cli.app import QUICK, build


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("", Wanted()),
        ("fix the parser", Wanted("fix the parser")),
        ("--json fix --explain it", Wanted("fix it", explain=True, as_json=True)),
        ("--budget 9000 --model a/b x", Wanted("x", window=9000, model="a/b")),
        ("--session s --step 3", Wanted(session="s", step=3)),
        ("--budget many", None),
        ("--step", None),
        ("--frobnicate", None),
        ("--help", None),
        ("fix --json -- --json --", Wanted("fix --json --", as_json=True)),
    ],
)
def test_words_are_read(words: str, wanted: Wanted | None) -> None:
    assert parsed(words.split()) == wanted


def test_a_sentence_may_begin_with_a_dash() -> None:
    assert parsed(["--glob is ignored", "--json"]) == Wanted("--glob is ignored", as_json=True)
    assert parsed(["--budget=9000 x"]) is None


@pytest.mark.parametrize("name", QUICK)
def test_both_ways_know_the_same_options(name: str) -> None:

    command = build([name]).commands[name]
    options = {option for parameter in command.params for option in parameter.opts if option.startswith("--")}
    known = import_module(QUICK[name]).OPTIONS
    assert options - {"--help"} == {*known.flags, *known.values}
