"""The quick way into ``ctxe budget`` reads what Typer would read, and leaves the rest to it."""

from __future__ import annotations

import pytest

from ctxe.cli.account import FLAGS, VALUES, Wanted, parsed
from ctxe.cli.app import build


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
        ("-- --json", None),
    ],
)
def test_words_are_read(words: str, wanted: Wanted | None) -> None:
    assert parsed(words.split()) == wanted


def test_both_ways_know_the_same_options() -> None:
    import typer

    command = typer.main.get_command(build(["budget"])).commands["budget"]  # type: ignore[attr-defined]
    options = {name for parameter in command.params for name in parameter.opts if name.startswith("--")}
    assert options - {"--help"} == {*FLAGS, *VALUES}
