"""What sessions teach the memory: proposals of a model as changes, credit for what helped."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.e2e.harness import KEY, Terminal, ctxe, environment, openai_at, repository
from tests.wire.server import Call, Reply, WireServer

TEST = "import unittest\n\nclass T(unittest.TestCase):\n    def test_one(self):\n        self.assertEqual(1, 1)\n"
RUN = f"{sys.executable} -m unittest test_app"


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return repository(tmp_path / "repo", {"app.py": "PORT = 8080\n", "test_app.py": TEST})


def allow(home: Path, more: str = "") -> None:
    (home / ".config/ctxe").mkdir(parents=True)
    rules = json.dumps([f"run:{RUN}"])
    (home / ".config/ctxe/config.toml").write_text(f"[approval]\nallow = {rules}\n{more}")


def test_a_model_proposes_what_puts_an_entry_right_and_a_person_sees_the_change(home: Path, repo: Path) -> None:
    allow(home, '[memory]\ndigest = "model"\n')
    old = ctxe(repo, environment(home), "memory", "add", "The API listens on port 80", "--json").json["id"]
    proposal = {"kind": "fact", "title": "The API listens on port 8080", "text": "app.py says so.", "files": ["app.py"]}
    answer = json.dumps({**proposal, "replaces": old})
    script = [Reply("", [Call("read_file", {"path": "app.py"})]), Reply("It is 8080."), Reply(answer)]
    with WireServer(script, key=KEY) as server:
        env = environment(home, **openai_at(server.url))
        done = ctxe(repo, env, "chat", "-p", "which port is it?")
        assert (done.code, done.out.strip(), server.refused) == (0, "It is 8080.", [])
        asked = json.dumps(server.bodies[-1])
    assert "You propose" in asked
    assert f"{old} fact: The API listens on port 80" in asked
    (waiting,) = ctxe(repo, env, "memory", "review", "--json").json
    assert (waiting["title"], waiting["supersedes"]) == ("The API listens on port 8080", [old])
    with Terminal(repo, env, ("memory", "review")) as terminal:
        terminal.wait(r"-The API listens on port 80\b")
        terminal.wait(r"\+The API listens on port 8080")
        terminal.type("a\r")
        terminal.wait("saved")
    (held,) = ctxe(repo, env, "memory", "show", "--json").json
    assert (held["title"], held["status"]) == ("The API listens on port 8080", "current")


def test_what_the_model_cites_is_credited_when_its_tests_pass(home: Path, repo: Path) -> None:
    allow(home)
    added = ("memory", "add", "Run the tests with unittest", "--kind", "routine", "--json")
    name = ctxe(repo, environment(home), *added).json["id"]
    script = [Reply("", [Call("run_command", {"command": RUN})]), Reply(f"They pass, run as [{name}] says.")]
    with WireServer(script, key=KEY) as server:
        env = environment(home, **openai_at(server.url))
        done = ctxe(repo, env, "chat", "-p", "do the tests pass?")
        assert (done.code, server.refused) == (0, []), done.err
        assert f"- {name} Run the tests with unittest" in json.dumps(server.bodies[0])
    judged = ctxe(repo, env, "memory", "stats", "--json").json["judged"]
    assert judged == [{"id": name, "title": "Run the tests with unittest", "helpful": 1, "harmful": 0}]


@pytest.mark.parametrize("how", ["ask", "inbox"])
def test_what_the_model_remembers_is_asked_at_once_or_waits_in_the_inbox(home: Path, repo: Path, how: str) -> None:
    (home / ".config/ctxe").mkdir(parents=True)
    (home / ".config/ctxe/config.toml").write_text(f'[memory]\nremember = "{how}"\n')
    call = Call("remember", {"kind": "fact", "title": "The port is 8080", "text": "app.py says so."})
    with WireServer([Reply("", [call]), Reply("Kept in mind.")], key=KEY) as server:
        env = environment(home, **openai_at(server.url))
        with Terminal(repo, env, ("chat",)) as terminal:
            terminal.wait(lambda _: "\x1b[?2004h" in terminal.raw)
            terminal.settle(0.2)
            terminal.type("keep the port in mind")
            terminal.settle()
            terminal.type("\r")
            if how == "ask":
                terminal.wait("remembered for later sessions")
                terminal.type("y\r")
            terminal.wait("Kept in mind")
        (row,) = ctxe(repo, env, "memory", "show", "--json").json
    assert (row["title"], row["status"]) == ("The port is 8080", "current" if how == "ask" else "proposed")
