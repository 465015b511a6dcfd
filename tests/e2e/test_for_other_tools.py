"""ctxe for other tools: ``ctxe pack`` as one text, ``ctxe mcp`` over the real client of the protocol."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters

from ctxe.storage.vocabulary import count
from tests.e2e.harness import KEY, Terminal, ctxe, environment, repository

FILES = {
    "AGENTS.md": "Pots are poured by `pour` alone.\n",
    "tea/AGENTS.md": "In tea/ water is measured in grams.\n",
    "tea/pot.py": "from tea.cup import fill\n\n\ndef pour(pot):\n    return fill(pot)\n",
    "tea/cup.py": f"def fill(cup):\n    key = '{KEY}'\n    return cup\n",
    "tea/steam.py": "def whistle(kettle):\n    '''\x1b]0;owned\x07 loud'''\n    return kettle.loud\n",
}
DECISION = ("memory", "add", "--kind", "decision", "--title", "Pots pour slowly", "Hot pots pour slowly.")
FAILURE = ("failures", "add", "the pot is missing", "--command", "pytest tests/test_pot.py", "--fix", "make it")


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    many = {f"shelf/box{n}.py": f"def stack{n}(box):\n    return [box] * {n}\n" * 40 for n in range(30)}
    return repository(tmp_path / "demo", FILES | many)


def test_a_pack_holds_rules_memory_files_and_the_task_in_this_order(home: Path, repo: Path) -> None:
    env = environment(home) | {"OPENAI_API_KEY": KEY}
    kept = ctxe(
        repo, env, "memory", "add", "--kind", "decision", "--title", "Pots pour slowly", "Hot pots pour slowly."
    )
    assert kept.code == 0, kept.err
    made = ctxe(repo, env, "pack", "pour the pot slowly into the cup")
    assert made.code == 0, made.err
    order = [
        "Pots are poured by `pour` alone.",
        "water is measured in grams",
        "Hot pots pour slowly.",
        "def pour(pot):",
        "# task\n\npour the pot slowly into the cup\n",
    ]
    places = [made.out.index(part) for part in order]
    assert places == sorted(places)
    assert KEY not in made.out
    assert "def fill(cup):" in made.out
    assert made.err.startswith(f"{count(made.out):,} of 16,000 tokens · instructions ")


@pytest.mark.parametrize("budget", [400, 700, 1_500, 4_000, 20_000])
def test_a_pack_is_never_above_its_cap_and_uses_it(home: Path, repo: Path, budget: int) -> None:
    told = ctxe(repo, environment(home), "pack", "--json", "--budget", str(budget), "stack the box in the pot").json
    assert told["tokens"] == count(told["text"]) <= budget
    assert told["tokens"] > min(budget * 0.8, 4_000) - 150
    assert [section["name"] for section in told["sections"]][-1] == "files"
    for section in told["sections"]:
        assert section["tokens"] == sum(chunk["tokens"] for chunk in section["chunks"])


def test_a_pack_of_nothing_or_of_too_much_is_one_line(home: Path, repo: Path) -> None:
    env = environment(home)
    small = ctxe(repo, env, "pack", "--budget", "50", "pour")
    assert (small.code, small.err) == (3, "ctxe: --budget 50 is too small for context\n      give 400 tokens or more\n")
    long = ctxe(repo, env, "pack", "--budget", "500", stdin="pour the pot " * 900)
    assert long.err.startswith("ctxe: the task alone has more than 500 tokens\n")
    assert long.code != 0


def test_what_a_file_says_to_the_terminal_is_spelled_there_and_kept_in_a_pipe(home: Path, repo: Path) -> None:
    env = environment(home)
    for words in (("pack", "make the kettle whistle"), ("plan", "--show", "make the kettle whistle")):
        assert "\x1b]0;owned\x07" in ctxe(repo, env, *words).out
        with Terminal(repo, env, words) as terminal:
            terminal.ended()
            assert "\x1b]0;owned" not in terminal.raw


async def _talk(repo: Path, env: dict[str, str]) -> dict[str, Any]:
    import sys

    server = StdioServerParameters(command=sys.executable, args=["-m", "ctxe", "mcp"], cwd=repo, env=env)
    found: dict[str, Any] = {}
    async with Client(server) as client:
        found["tools"] = {tool.name: tool for tool in (await client.list_tools()).tools}
        asks: list[tuple[str, str, dict[str, Any]]] = [
            ("plan", "plan", {"task": "pour the pot", "budget": 1_000}),
            ("pack", "pack", {"task": "pour the pot into the cup", "budget": 1_000}),
            ("budget", "budget", {"task": "pour the pot"}),
            ("memory", "search_memory", {"words": "do pots pour slowly"}),
            ("failures", "match_failures", {"command": "pytest tests/test_pot.py"}),
            ("nothing", "match_failures", {}),
            ("proposed", "propose_memory", {"text": "Cups hold two decilitres.", "files": ["tea/cup.py"]}),
            ("later", "pack", {"task": "how much do cups hold"}),
            ("secret", "propose_memory", {"text": f"The key is {KEY}."}),
        ]
        for name, tool, arguments in asks:
            found[name] = await client.call_tool(tool, arguments)
    return found


def test_another_assistant_asks_what_ctxe_knows_and_changes_nothing(home: Path, repo: Path) -> None:
    env = environment(home) | {"OPENAI_API_KEY": KEY}
    ctxe(repo, env, *DECISION)
    ctxe(repo, env, *FAILURE)
    found = asyncio.run(_talk(repo, env))
    tools = found["tools"]
    assert sorted(tools) == ["budget", "match_failures", "pack", "plan", "propose_memory", "search_memory"]
    assert [name for name in tools if not tools[name].annotations.read_only_hint] == ["propose_memory"]
    planned = found["plan"].structured_content
    assert planned == ctxe(repo, env, "plan", "--json", "--budget", "1000", "pour the pot").json | {
        "timings_ms": planned["timings_ms"]
    }
    text = found["pack"].content[0].text
    assert "def pour(pot):" in text
    assert KEY not in text
    assert found["pack"].structured_content is None
    account = found["budget"].structured_content
    assert account["used"] == sum(section["tokens"] for section in account["sections"])
    told = found["memory"].structured_content["results"]
    assert [(row["title"], row.get("text"), row.get("fix")) for row in told] == [
        ("Pots pour slowly", "Hot pots pour slowly.", None),
        ("the pot is missing", None, "make it"),
    ]
    failure = found["failures"].structured_content["results"][0]
    assert (failure["title"], failure["fix"]) == ("the pot is missing", "make it")
    assert found["nothing"].is_error
    assert "give words, a command, an error or files" in found["nothing"].content[0].text
    assert found["proposed"].structured_content["status"] == "proposed"
    assert found["secret"].is_error
    waiting = ctxe(repo, env, "memory", "review", "--json").json
    assert "Cups hold two decilitres." in json.dumps(waiting)
    assert "Cups hold" not in found["later"].content[0].text


def test_a_person_who_starts_the_server_is_told_what_it_is(home: Path, repo: Path) -> None:
    with Terminal(repo, environment(home), ("mcp",)) as terminal:
        assert terminal.ended() == 3
        assert "ctxe: ctxe mcp talks to an assistant, which starts it" in terminal.screen
        assert "claude mcp add ctxe -- ctxe mcp" in terminal.screen
