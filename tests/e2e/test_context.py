"""What the model is sent as a session goes on: changed files, scoped rules, memories, folds; each exactly once."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.harness import KEY, ctxe, environment, openai_at, repository
from tests.wire.server import Call, Entry, Reply, WireServer

FILES = {
    "src/a.py": "def first():\n    return 1\n",
    "src/AGENTS.md": "Functions in src return strings.\n",
    "AGENTS.md": "Use four spaces.\n",
}


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return repository(tmp_path / "demo", FILES)


def test_a_file_changed_outside_the_session_is_reported_once(home: Path, repo: Path) -> None:
    def edited(_: Mapping[str, Any]) -> Reply:
        (repo / "src/a.py").write_text("def first():\n    return 2\n")
        return Reply("", [Call("list_files", {})])

    script: list[Entry] = [
        Reply("", [Call("read_file", {"path": "src/a.py"})]),
        edited,
        Reply("", [Call("list_files", {})]),
        Reply("ok"),
    ]
    with WireServer(script, key=KEY) as server:
        assert ctxe(repo, environment(home, **openai_at(server.url)), "chat", "-p", "look at a.py").code == 0
        sent = [json.dumps(body) for body in server.bodies]
    told = "src/a.py changed since you last saw it"
    assert [body.count(told) for body in sent] == [0, 0, 1, 1]
    assert r"what stands above:]\n" in sent[2]
    assert sent[2].count("return 2") == 1


def test_the_models_own_edit_is_not_reported_as_a_change(home: Path, repo: Path) -> None:
    script = [
        Reply("", [Call("read_file", {"path": "src/a.py"})]),
        Reply("", [Call("edit_file", {"path": "src/a.py", "old": "return 1", "new": "return 3"})]),
        Reply("ok"),
    ]
    with WireServer(script, key=KEY) as server:
        done = ctxe(repo, environment(home, **openai_at(server.url)), "chat", "-p", "3!", "--approval", "auto-edit")
        assert done.code == 0
        assert "[ctxe: src/a.py" not in json.dumps(server.bodies[-1])


def test_calls_of_one_reply_may_edit_files_that_earlier_calls_created(home: Path, repo: Path) -> None:
    def edit(path: str, old: str, new: str) -> Call:
        return Call("edit_file", {"path": path, "old": old, "new": new})

    script = [
        Reply("", [Call("read_file", {"path": "src/a.py"})]),
        Reply("", [edit("src/a.py", "return 1", "return 3"), edit("src/a.py", "first", "second")]),
        Reply("", [Call("write_file", {"path": "n.txt", "text": "a\n"}), edit("n.txt", "a", "b")]),
        Reply("", [Call("run_command", {"command": "echo c > n.txt"}), edit("n.txt", "c", "d")]),
        Reply("", [Call("read_file", {"path": "AGENTS.md"}), edit("AGENTS.md", "four", "two")]),
        Reply("ok"),
    ]
    with WireServer(script, key=KEY) as server:
        assert ctxe(repo, environment(home, **openai_at(server.url)), "-p", "go", "--approval", "auto").code == 0
        told = json.dumps(server.bodies[-1])
    assert (repo / "src/a.py").read_text() == "def second():\n    return 3\n"
    assert (repo / "n.txt").read_text() == "c\n"  # the command's doing was seen by nobody
    assert (repo / "AGENTS.md").read_text() == FILES["AGENTS.md"]  # it was read and edited in one breath
    assert told.count("changed since you last saw it; nothing was written") == 1


def test_scoped_rules_come_once_with_the_first_file_of_their_folder(home: Path, repo: Path) -> None:
    read = Reply("", [Call("read_file", {"path": "src/a.py"})])
    with WireServer([read, read, Reply("ok")], key=KEY) as server:
        assert ctxe(repo, environment(home, **openai_at(server.url)), "chat", "-p", "hello").code == 0
        sent = [json.dumps(body) for body in server.bodies]
    assert [body.count("Functions in src return strings.") for body in sent] == [0, 1, 1]
    assert [body.count("[ctxe: ") for body in sent] == [0, 0, 0]
    assert [body.count("Use four spaces.") for body in sent] == [1, 1, 1]


def test_a_file_already_in_the_request_is_not_sent_again(home: Path, repo: Path) -> None:
    with WireServer([Reply("one"), Reply("two")], key=KEY) as server:
        env = environment(home, **openai_at(server.url))
        assert ctxe(repo, env, "chat", "-p", "what is in @src/a.py?").code == 0
        assert ctxe(repo, env, "chat", "-c", "-p", "and again @src/a.py?").code == 0
        assert json.dumps(server.bodies[1]).count("def first():") == 1


def test_a_memory_is_recalled_when_the_message_asks_for_it(home: Path, repo: Path) -> None:
    env = environment(home)
    ctxe(repo, env, "memory", "add", "The payment gateway times out after 30 seconds", "--kind", "fact")
    with WireServer([Reply("one")], key=KEY) as server:
        env = environment(home, **openai_at(server.url))
        ctxe(repo, env, "chat", "-p", "why does the payment gateway time out?")
        assert "times out after 30 seconds" in json.dumps(server.bodies[0])


def test_a_long_turn_in_a_small_window_folds_and_keeps_the_users_words(home: Path, repo: Path) -> None:
    script = list[Reply]()
    for n in range(8):
        lines = (f"line {k} of the long file number {n} with words in it" for k in range(120))
        (repo / f"long{n}.txt").write_text("\n".join(lines))
        script.append(Reply("reading", [Call("read_file", {"path": f"long{n}.txt"})]))
        script.append(Reply("looking", [Call("search", {"pattern": f"number {n} with"})]))
    with WireServer([*script, Reply("done")], key=KEY) as server:
        env = environment(home, **openai_at(server.url))
        done = ctxe(repo, env, "chat", "-p", "count the WONDERFUL lines", "--budget", "14000")
        assert (done.code, server.refused) == (0, []), done.err
        bodies = server.bodies
    from ctxe.storage.vocabulary import count

    assert len(bodies) == 17
    assert all("count the WONDERFUL lines" in json.dumps(body) for body in bodies)
    assert all(count(json.dumps(body["messages"])) <= 14_000 for body in bodies)
    (log,) = (repo / ".ctxe/sessions").glob("*.jsonl")
    assert '"type":"folded"' in log.read_text()


def test_the_model_can_recall_every_byte_that_was_folded_or_trimmed(home: Path, repo: Path) -> None:
    """What it recalls is cut again where it is long, and had part by part by the number of a line."""
    lines = [f"row {n}: {n * 7919 % 10007}" for n in range(600)]
    (repo / "table.txt").write_text("\n".join(lines))
    told: list[str] = []

    def recalling(body: Mapping[str, Any]) -> Reply:
        said = str(body["messages"][-1]["content"])
        if not told:
            folded = json.dumps(body["messages"])
            assert "row 300: " not in folded
            told.append("")
            return Reply("", [Call("recall", {"handle": "s1"})])
        told.append(said)
        begins = re.match(r"\[from line ([\d,]+) of", said)
        cut = re.search(r"\n\[[^\n]*lines left out; recall", said)
        if not begins or not cut:
            return Reply("all")
        following = int(begins[1].replace(",", "")) + said[: cut.start()].count("\n")
        return Reply("", [Call("recall", {"handle": "s1", "first": following})])

    read = Reply("", [Call("run_command", {"command": "cat table.txt"})])
    fill = [Reply(f"Step {n}. " + "and so on " * 200, [Call("list_files", {})]) for n in range(9)]
    with WireServer([read, *fill], then=recalling, key=KEY) as server:
        env = environment(home, **openai_at(server.url))
        done = ctxe(repo, env, "chat", "-p", "read the table", "--budget", "14000", "--approval", "auto")
        assert done.code == 0, done.err
    found = {row for text in told for row in text.splitlines()}
    assert found.issuperset(lines)
    assert len(told) > 3
