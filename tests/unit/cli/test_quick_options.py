"""The quick way into commands reads what Typer would read, and leaves the rest to it."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest

from ctxe.cli import memory_show
from ctxe.cli.app import QUICK, build
from ctxe.cli.budget_options import BudgetOptions, parse_words
from ctxe.cli.chat import options
from ctxe.domain.value import fields


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("", BudgetOptions()),
        ("fix the parser", BudgetOptions("fix the parser")),
        ("--json fix --explain it", BudgetOptions("fix it", explain=True, as_json=True)),
        ("--budget 9000 --model a/b x", BudgetOptions("x", window=9000, model="a/b")),
        ("--session s --step 3", BudgetOptions(session="s", step=3)),
        ("--budget many", None),
        ("--step", None),
        ("--frobnicate", None),
        ("--help", None),
        ("fix --json -- --json --", BudgetOptions("fix --json --", as_json=True)),
    ],
)
def test_options_and_words_are_read(words: str, wanted: BudgetOptions | None) -> None:
    assert parse_words(words.split()) == wanted


def test_a_sentence_may_begin_with_a_dash() -> None:
    assert parse_words(["--glob is ignored", "--json"]) == BudgetOptions("--glob is ignored", as_json=True)
    assert parse_words(["--budget=9000 x"]) is None


@pytest.mark.parametrize("name", QUICK)
def test_the_quick_reader_and_typer_know_the_same_options(name: str) -> None:
    command = build([name]).commands[name]
    command = getattr(command, "commands", {"show": command})["show"]
    options = {option for parameter in command.params for option in parameter.opts}
    known = import_module(QUICK[name]).OPTIONS
    taken = {*known.flags, *known.values}
    assert {option for option in options if option.startswith("-")} - {"-h", "--help"} == taken


@pytest.mark.parametrize(
    "words",
    [
        "",
        "fix the parser",
        "-p fix it --output-format json --max-cost 0.5 --max-steps 3",
        "-c --read a.md --read b.md --file c.py --skill django --no-memory",
        "-r 2026 --effort high --approval auto --allowed-tools read,edit",
        "--fork 2026 --budget 9000 --target-tokens 5 --model a/b --base-url http://x --dry-run",
        "--max-cost 2 x -- --print",
    ],
)
def test_a_chat_command_line_is_read_as_typer_reads_it(words: str) -> None:
    context = build(["chat"]).commands["chat"].make_context("chat", words.split())
    read = {name: value for name, value in context.params.items() if name != "words"}
    wanted = options.parse_words(words.split())
    assert wanted is not None
    known = {one.name: getattr(wanted, one.name) for one in fields(wanted) if one.name != "words"}
    assert (wanted.words, plain(known)) == (" ".join(context.params["words"] or ()), plain(read))


def plain(read: dict[str, Any]) -> dict[str, Any]:
    """Lists as they are; an empty one as none."""
    return {name: list(value) if isinstance(value, list | tuple) else value for name, value in read.items() if value}


@pytest.mark.parametrize(
    "words", ["-pc x", "--max-cost much", "--effort huge", "--max-cost -1", "--resume=?", "-h", "-r"]
)
def test_an_unusual_chat_command_line_is_left_to_typer(words: str) -> None:
    assert options.parse_words(words.split()) is None


def test_only_one_command_of_the_memory_group_is_read_quickly() -> None:
    assert memory_show.parse_words(["show", "e1", "--json"]) == memory_show.MemoryOptions("e1", as_json=True)
    assert [memory_show.parse_words(words.split()) for words in ("", "search x", "show a b", "show --limit 3")] == [
        None
    ] * 4
