"""A coding session from end to end: read, edit, test, fail, fix, record; and a second session that knows of it."""

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.harness import KEY, Terminal, anthropic_at, ctxe, environment, git, openai_at, repository
from tests.wire.server import Call, Reply, WireServer

CALC = "def add(a, b):\n    return a - b\n\n\ndef double(a):\n    return add(a, a)\n"
TEST = """import unittest

from calc import add, double


class Calc(unittest.TestCase):
    def test_add(self):
        self.assertEqual(add(2, 3), 5)

    def test_double(self):
        self.assertEqual(double(4), 8)
"""
RUN = f"{sys.executable} -m unittest -q test_calc"
SCRIPT = [
    Reply("I look at the code first.", [Call("read_file", {"path": "calc.py"})]),
    Reply("", [Call("edit_file", {"path": "calc.py", "old": "return a - b", "new": "return a + b + 1"})]),
    Reply("Now the tests.", [Call("run_command", {"command": RUN})]),
    Reply("Off by one.", [Call("edit_file", {"path": "calc.py", "old": "return a + b + 1", "new": "return a + b"})]),
    Reply("", [Call("run_command", {"command": RUN})]),
    Reply(
        "",
        [
            Call(
                "remember",
                {"kind": "decision", "title": "add sums", "text": "add(a, b) is plain addition, tests say so."},
            ),
            Call("record_failure", {"tried": "return a + b + 1", "outcome": "off by one", "fix": "return a + b"}),
        ],
    ),
    Reply("Fixed: `calc.py:2` adds now; both tests pass."),
]
APIS: dict[str, Callable[[str], dict[str, str]]] = {
    "chat": openai_at,
    "messages": anthropic_at,
    "responses": lambda url: openai_at(url) | {"CTXE_MODEL_API": "responses"},
}


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    files = {"calc.py": CALC, "test_calc.py": TEST, "AGENTS.md": "# Rules\n\nUse four spaces.\n"}
    return repository(tmp_path / "calc", files | {".gitignore": "__pycache__/\n"})


def allow(home: Path) -> None:
    """The user's own settings: edits need no question, and the tests may run."""
    (home / ".config/ctxe").mkdir(parents=True, exist_ok=True)
    (home / ".config/ctxe/config.toml").write_text(f'[approval]\nallow = ["run:{sys.executable} -m unittest *"]\n')


@pytest.mark.parametrize("api", APIS)
def test_a_bug_is_found_fixed_tested_and_remembered_headless(api: str, home: Path, repo: Path) -> None:
    allow(home)
    with WireServer(SCRIPT, key=KEY) as server:
        env = environment(home, **APIS[api](server.url))
        done = ctxe(
            repo, env, "chat", "-p", "add is wrong, fix it", "--approval", "auto-edit", "--output-format", "json"
        )
        assert (done.code, server.refused, server.left) == (0, [], 0), done.err
        bodies = [json.dumps(body) for body in server.bodies]
    result = done.json
    assert result["outcome"] == "answered"
    assert result["text"] == "Fixed: `calc.py:2` adds now; both tests pass."
    assert (repo / "calc.py").read_text() == CALC.replace("a - b", "a + b")
    assert "Use four spaces." in bodies[0]
    assert "return a - b" in bodies[1]
    assert "FAILED" in bodies[3]
    assert "exit code 1" in bodies[3] or "exit 1" in bodies[3]
    assert all(KEY not in body for body in bodies)
    assert git(repo, "status", "--porcelain") == " M calc.py\n"


def test_a_second_session_starts_with_the_decision_and_the_failure(home: Path, repo: Path) -> None:
    allow(home)
    with WireServer([*SCRIPT, Reply("I remember.")], key=KEY) as server:
        env = environment(home, **openai_at(server.url))
        ctxe(repo, env, "init", "--yes")
        first = ctxe(repo, env, "chat", "-p", "add is wrong, fix it", "--approval", "auto-edit")
        assert first.code == 0, first.err
        for proposal in json.loads(ctxe(repo, env, "memory", "review", "--json").out):
            assert ctxe(repo, env, "memory", "review", "--accept", proposal["id"]).code == 0
        failures = ctxe(repo, env, "failures", "list", "--json").json
        assert any("unittest" in one["command"] for one in failures)
        second = ctxe(repo, env, "chat", "-p", "what do we know about add?")
        assert second.out.strip() == "I remember."
        request = json.dumps(server.bodies[-1])
    assert "add sums" in request
    assert "test_calc" in request


def test_edits_and_commands_are_shown_and_asked_about_in_a_terminal(home: Path, repo: Path) -> None:
    with WireServer(SCRIPT, key=KEY) as server:
        env = environment(home, **openai_at(server.url))
        with Terminal(repo, env, ("chat",)) as terminal:
            terminal.wait(r"›")
            terminal.enter("add is wrong, fix it")
            screen = terminal.wait(r"return a \+ b \+ 1(.|\n)*\[y\]")
            assert "return a - b" in screen
            terminal.type("y")
            screen = terminal.wait(r"unittest -q test_calc(.|\n)*\[y\]")
            terminal.type("y")
            terminal.wait(r"FAILED(.|\n)*\[y\]")
            terminal.type("y")
            terminal.wait(lambda text: text.count("[y]es") == 4)
            terminal.type("y")
            terminal.wait(r"add sums(.|\n)*\[y\]")
            terminal.type("y")
            terminal.wait(r"off by one(.|\n)*\[y\]")
            terminal.type("y")
            screen = terminal.wait(r"both tests pass(.|\n)*gpt-5(.|\n)*%")
            terminal.enter("/exit")
            assert terminal.ended() == 0
        assert (server.refused, server.left) == ([], 0)
    assert (repo / "calc.py").read_text() == CALC.replace("a - b", "a + b")
    decisions = list((repo / ".ctxe/decisions").glob("*.md"))
    assert len(decisions) == 1
    assert "add(a, b) is plain addition" in decisions[0].read_text()


def test_each_request_starts_with_the_one_before(home: Path, repo: Path) -> None:
    allow(home)
    with WireServer(SCRIPT, key=KEY) as server:
        env = environment(home, **openai_at(server.url))
        assert ctxe(repo, env, "chat", "-p", "fix add", "--approval", "auto-edit").code == 0
        bodies: list[Any] = server.bodies
    for before, after in itertools.pairwise(bodies):
        assert after["messages"][: len(before["messages"])] == before["messages"]
        assert after["tools"] == before["tools"]


def test_the_offline_model_needs_nothing_and_answers_from_the_repository(home: Path, repo: Path) -> None:
    done = ctxe(repo, environment(home), "chat", "-p", "where is add defined?")
    assert done.code == 0, done.err
    assert "calc.py" in done.out
    assert "API_KEY" in done.out + done.err


def test_a_dry_run_prints_the_request_and_sends_nothing(home: Path, repo: Path) -> None:
    with WireServer([], key=KEY) as server:
        done = ctxe(repo, environment(home, **openai_at(server.url)), "chat", "--dry-run", "-p", "fix add")
        assert (done.code, server.exchanges) == (0, [])
    assert "fix add" in json.dumps(done.json["messages"])


def test_the_first_request_in_an_empty_project_is_small(home: Path, tmp_path: Path) -> None:
    empty = repository(tmp_path / "empty", {"README.md": "# Empty\n"})
    ledger = ctxe(empty, environment(home), "budget", "--json", "hello").json
    assert ledger["used"] <= 3_000
    assert ledger["used"] == sum(chunk["tokens"] for s in ledger["sections"] for chunk in s["chunks"])
