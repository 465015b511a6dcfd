"""What sessions add to the memory: proposals of a model as changes, and credit for entries that helped."""

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
    (home / ".config/ctxe").mkdir(parents=True, exist_ok=True)
    rules = json.dumps([f"run:{RUN}"])
    (home / ".config/ctxe/config.toml").write_text(f"[approval]\nallow = {rules}\n{more}")


def test_a_proposed_correction_of_an_entry_is_reviewed_as_a_change(home: Path, repo: Path) -> None:
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


def test_a_wish_that_holds_a_key_is_not_proposed_and_the_others_are(home: Path, repo: Path) -> None:
    wishes = ("Always push with ghp_" + "aB3dE6gH9jK2mN5pQ8sTuV1wX4yZ7bC0dEfG", "Never commit to main")
    with WireServer([Reply("Noted.")], key=KEY) as server:
        env = environment(home, **openai_at(server.url))
        assert ctxe(repo, env, "chat", "-p", "\n".join(wishes)).code == 0
    waiting = ctxe(repo, env, "memory", "review", "--json").json
    assert [entry["title"] for entry in waiting] == [wishes[1]]


def test_cited_entries_are_credited_when_the_tests_pass(home: Path, repo: Path) -> None:
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
def test_remember_asks_the_user_or_fills_the_inbox_as_configured(home: Path, repo: Path, how: str) -> None:
    (home / ".config/ctxe").mkdir(parents=True, exist_ok=True)
    (home / ".config/ctxe/config.toml").write_text(f'[memory]\nremember = "{how}"\n')
    call = Call("remember", {"kind": "fact", "title": "The port is 8080", "text": "app.py says so."})
    with WireServer([Reply("", [call]), Reply("Kept in mind.")], key=KEY) as server:
        env = environment(home, **openai_at(server.url))
        with Terminal(repo, env, ("chat",)) as terminal:
            terminal.ready()
            terminal.type("keep the port in mind")
            terminal.settle()
            terminal.type("\r")
            if how == "ask":
                terminal.wait("remembered for later sessions")
                terminal.type("y\r")
            terminal.wait("Kept in mind")
            told = f"{'fact' if how == 'ask' else 'proposal'} [0-9]{{4}}-[0-9a-f]{{4}} The port is 8080"
            terminal.wait(told + rf" · by\s+model \({'approved' if how == 'ask' else 'proposed'}\)")
            terminal.wait(lambda _: any((repo / ".ctxe/daily").glob("*.md")))
        (row,) = ctxe(repo, env, "memory", "show", "--json").json
    assert (row["title"], row["status"]) == ("The port is 8080", "current" if how == "ask" else "proposed")
    (day,) = (repo / ".ctxe/daily").glob("*.md")
    assert f"fact {row['id']}{'' if how == 'ask' else ' proposed'}" in day.read_text()


def test_replacing_a_decision_shows_the_other_decision_that_stays(home: Path, repo: Path) -> None:
    env = environment(home)
    old, other = (
        ctxe(repo, env, "decisions", "add", title, "--json").json["id"]
        for title in ("Timeouts apply to the whole request", "Timeouts of a request are ten seconds")
    )
    entry = {"kind": "decision", "title": "Timeouts of a request are per operation", "text": "As app.py says."}
    calls = [Call("remember", {**entry, "replaces": "9999"}), Call("remember", {**entry, "replaces": old})]
    with WireServer([Reply("", calls), Reply("Put right.")], key=KEY) as server:
        env = environment(home, **openai_at(server.url))
        with Terminal(repo, env, ("chat",)) as terminal:
            terminal.ready()
            terminal.enter("put the timeouts right")
            terminal.wait("replaces: 9999")
            terminal.wait(f"decision {old} stays and says: Timeouts apply")
            terminal.settle()
            terminal.type("y\r")
            terminal.wait("no entry 9999")
            terminal.wait(f"replaces: {old}")
            terminal.wait(f"decision {other} stays and says: Timeouts of a request are ten seconds")
            assert terminal.screen.count(f"decision {old} stays") == 1
            terminal.settle()
            terminal.type("y\r")
            terminal.wait("Put right.")
            terminal.ready()
            terminal.enter(f"/decisions {old}")
            terminal.wait("superseded by")
    held = ctxe(repo, environment(home), "decisions", "list", "--json").json
    assert sorted(one["title"] for one in held) == [entry["title"], "Timeouts of a request are ten seconds"]
